import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { tempDir } from '../support/temp.js';

const ROOT = path.resolve(import.meta.dirname, '../..');

interface Case {
  file: string;
  forbidden: string[];
  allowed: string[];
}

const STORES = ['bullmq', 'bullmq/x', 'ioredis', 'pg', 'pg/x', '@electric-sql/pglite'];
const TESTS = ['vitest', 'vitest/node', '../../../test/support/eventually.js', './a.spec.js'];
const BOARD = ['@bull-board/api', '@bull-board/fastify/x'];
const LAZY = [
  '@nestjs/swagger',
  'nodemailer',
  'web-push',
  'liquidjs',
  'jose',
  'openid-client',
  '@opentelemetry/sdk-trace-node',
];
const FREE = ['node:path', '@nestjs/common', './a.js', './a/b.js', '../a.js'];
const APPS = [
  ...['../../../apps/api/src/index.js', '../../api/src/a.js', '../../worker/src/a.js'],
  '../../cli/src/a.js',
];

// What each room may import and what not. Every list is one file, planted in a copy of the layout and linted with the
// real configuration: exactly the forbidden ones must be reported.
const CASES: Case[] = [
  {
    file: 'libs/messaging/src/router.ts',
    forbidden: [
      ...['@callsheet/messaging', '@callsheet/scheduler', '@callsheet/contracts'],
      ...['../../scheduler/src/index.js', '../../contracts/src/index.js'],
      ...['./drivers/bullmq/redis.backend.js', './drivers/memory/memory.engine.js'],
      ...[...APPS, ...STORES, ...BOARD, ...TESTS],
    ],
    allowed: [...FREE, './engine.js', '@nestjs/bullmq'],
  },
  {
    file: 'libs/messaging/src/testing/test.callsheet.ts',
    forbidden: ['../drivers/bullmq/redis.backend.js', '@callsheet/scheduler', ...STORES, ...TESTS],
    allowed: [
      ...FREE,
      ...['../messaging.module.js', '../drivers/memory/memory.engine.js', '@nestjs/testing'],
    ],
  },
  {
    file: 'libs/messaging/src/messaging.module.ts',
    forbidden: ['@callsheet/scheduler', ...APPS, ...STORES, ...BOARD, ...TESTS],
    allowed: [
      ...FREE,
      ...['./drivers/bullmq/redis.backend.js', './drivers/memory/memory.engine.js'],
    ],
  },
  {
    file: 'libs/messaging/src/drivers/store.ts',
    forbidden: ['@callsheet/scheduler', ...APPS, ...BOARD, ...TESTS],
    allowed: [...FREE, ...STORES, './memory/memory.engine.js', './bullmq/redis.backend.js'],
  },
  {
    file: 'libs/messaging/src/drivers/bullmq/redis.backend.ts',
    forbidden: ['../memory/memory.engine.js', '@callsheet/scheduler', ...APPS, ...BOARD, ...TESTS],
    allowed: [...FREE, ...STORES, '../../engine.js'],
  },
  {
    file: 'libs/messaging/src/drivers/memory/memory.engine.ts',
    forbidden: [
      ...['bullmq', '../bullmq/redis.backend.js', '@callsheet/scheduler'],
      ...[...APPS, ...BOARD, ...TESTS],
    ],
    allowed: [...FREE, '../../engine.js'],
  },
  {
    file: 'libs/messaging/src/router.spec.ts',
    forbidden: ['@callsheet/scheduler', ...APPS],
    allowed: ['vitest', '../../../test/support/eventually.js', './drivers/memory/x.js', ...STORES],
  },
  {
    file: 'libs/scheduler/src/schedule.ts',
    forbidden: [
      ...['@callsheet/contracts', '@callsheet/scheduler', '@callsheet/messaging/drivers'],
      ...['../../messaging/src/index.js', '../../contracts/src/index.js'],
      ...[...APPS, ...STORES, ...BOARD, ...TESTS],
    ],
    allowed: [...FREE, '@callsheet/messaging', 'cron-parser'],
  },
  {
    file: 'libs/scheduler/src/schedule.spec.ts',
    forbidden: [
      ...['../../messaging/src/engine.js', '@callsheet/messaging/drivers'],
      ...['@callsheet/contracts', ...APPS],
    ],
    allowed: [
      ...['vitest', '../../../test/support/redis.server.js'],
      ...['@callsheet/messaging', '@callsheet/messaging/testing'],
    ],
  },
  {
    file: 'libs/sync/src/pipelines.ts',
    forbidden: [
      ...['@callsheet/contracts', '@callsheet/sync', '@callsheet/messaging/drivers'],
      ...['../../messaging/src/index.js', '../../scheduler/src/index.js', 'csv-parse'],
      ...[...APPS, ...STORES, ...BOARD, ...TESTS],
    ],
    allowed: [...FREE, '@callsheet/messaging', '@callsheet/scheduler', './connectors/a.js'],
  },
  {
    file: 'libs/sync/src/connectors/postgres.table.ts',
    forbidden: [
      ...[
        '@callsheet/contracts',
        '@callsheet/messaging/drivers',
        '../../../messaging/src/index.js',
      ],
      ...[...APPS, ...BOARD, ...TESTS, 'bullmq', 'ioredis', '@electric-sql/pglite'],
    ],
    allowed: [...FREE, '@callsheet/messaging', 'pg', 'csv-parse', 'pg-logical-replication'],
  },
  {
    file: 'libs/sync/src/pipelines.spec.ts',
    forbidden: ['../../messaging/src/engine.js', '@callsheet/contracts', ...APPS],
    allowed: ['vitest', '@callsheet/messaging', '@callsheet/messaging/testing', 'pg'],
  },
  {
    file: 'libs/contracts/src/email.messages.ts',
    forbidden: [
      ...['@callsheet/contracts', '@callsheet/scheduler', '@callsheet/messaging/drivers'],
      ...['../../messaging/src/index.js', '../../scheduler/src/index.js'],
      ...['@nestjs/common', 'node:path', 'nodemailer', 'vitest'],
      ...['../../../test/support/eventually.js', ...APPS, ...STORES, ...BOARD],
    ],
    allowed: ['@callsheet/messaging', 'zod', 'node:crypto', './a.js', './a/b.js', '../a.js'],
  },
  {
    file: 'apps/api/src/messages/messages.controller.ts',
    forbidden: [
      ...['@callsheet/messaging/drivers', '../../../../libs/messaging/src/index.js'],
      ...['../../../worker/src/worker.module.js', '../../../standalone/src/main.js'],
      ...[...LAZY, ...STORES, ...BOARD, ...TESTS],
    ],
    allowed: [...FREE, '@callsheet/messaging', '@callsheet/scheduler', '@callsheet/contracts'],
  },
  {
    file: 'apps/api/src/dashboard/dashboard.module.ts',
    forbidden: [
      ...['@callsheet/messaging/drivers', '../../../worker/src/worker.module.js'],
      ...[...LAZY, ...STORES, ...TESTS],
    ],
    allowed: [...FREE, ...BOARD, '@callsheet/messaging', '@nestjs/bullmq'],
  },
  {
    file: 'apps/worker/src/email/email.actor.ts',
    forbidden: [
      ...['@callsheet/messaging/drivers', '../../../../libs/messaging/src/index.js'],
      ...['../../../api/src/index.js', '../../../standalone/src/main.js'],
      ...[...LAZY, ...STORES, ...BOARD, ...TESTS],
    ],
    allowed: [...FREE, '@callsheet/messaging', '@callsheet/contracts'],
  },
  {
    file: 'apps/cli/src/commands/messages.ts',
    forbidden: [
      ...['@callsheet/messaging/drivers', '../../../api/src/index.js'],
      ...[...LAZY, ...STORES, ...BOARD, ...TESTS],
    ],
    allowed: [...FREE, '@callsheet/messaging', 'commander'],
  },
  {
    file: 'apps/cli/src/doctor/redis.ts',
    forbidden: [
      ...['@callsheet/messaging/drivers', '../../../worker/src/worker.module.js'],
      ...[...LAZY, 'bullmq', 'bullmq/x', ...BOARD, ...TESTS],
    ],
    allowed: [...FREE, 'ioredis', 'pg', '@electric-sql/pglite', '@callsheet/scheduler'],
  },
  {
    file: 'apps/standalone/src/main.ts',
    forbidden: [
      ...['../../api/src/api.module.js', '../../api/src/dashboard/dashboard.module.js'],
      ...['../../worker/src/main.js', '../../worker/src/email/email.actor.js'],
      ...['../../../apps/api/src/index.js', '../../../libs/messaging/src/index.js'],
      ...['@callsheet/messaging/drivers', ...LAZY, ...STORES, ...BOARD, ...TESTS],
    ],
    allowed: [
      ...[...FREE, '../../api/src/index.js', '../../worker/src/worker.module.js'],
      '@callsheet/messaging',
    ],
  },
  {
    file: 'apps/console/src/app.tsx',
    forbidden: [
      ...['@callsheet/messaging', '@callsheet/contracts', '../../api/src/messages/message.view.js'],
      ...['../../../libs/messaging/src/index.js', '../../api/test/stage.js'],
      ...['@nestjs/common', 'node:path', ...APPS, ...STORES, ...BOARD, ...TESTS],
    ],
    allowed: ['react', 'wouter', './api/client.js', './a/b.js', '../a.js'],
  },
  {
    file: 'apps/api/src/api.spec.ts',
    forbidden: [
      ...['../../worker/src/worker.module.js', '../../../libs/messaging/src/index.js'],
      ...['@callsheet/messaging/drivers', '@callsheet/scheduler/x'],
    ],
    allowed: [
      ...['vitest', '../../../test/support/eventually.js'],
      ...['@callsheet/messaging', '@callsheet/messaging/testing'],
    ],
  },
  {
    file: 'apps/api/test/stage.ts',
    forbidden: ['../../worker/src/worker.module.js', '../../../libs/messaging/src/index.js'],
    allowed: ['vitest', '../src/index.js', '../../../test/support/eventually.js'],
  },
  {
    file: 'test/contract/engine.suite.ts',
    forbidden: [],
    allowed: ['../../libs/messaging/src/drivers/memory/x.js', 'vitest', ...STORES],
  },
];

/** Lines of code that other rules must report, in a file of an app. */
const PLANTED: Record<string, string> = {
  'typescript(no-explicit-any)': 'export const a: any = 1;',
  'eslint(eqeqeq)': 'export const b = 1 == Number(a);',
  'eslint(no-console)': "console.log('c');",
  'typescript(no-floating-promises)': 'Promise.resolve(1);',
  'import(no-cycle)': "import './cycle.js';",
};

describe('import rules', () => {
  let reported: Map<string, Set<string>>;

  beforeAll(() => {
    const files = CASES.map(({ file, forbidden, allowed }) => ({
      file,
      lines: [...forbidden, ...allowed].map((specifier) => `import '${specifier}';`),
    }));
    reported = lint([...files, { file: 'libs/messaging/src/forms.ts', lines: FORMS }]);
  });

  it.each(CASES)('$file', ({ file, forbidden }) => {
    const lines = reported.get(file) ?? new Set();
    expect([...lines].sort()).toEqual(forbidden.map((text) => `import '${text}';`).sort());
  });

  const FORMS = [
    "import { Queue } from 'bullmq';",
    "import type { Job } from 'bullmq';",
    "import { type Pool } from 'pg';",
    "import * as redis from 'ioredis';",
    "export { Worker } from 'bullmq';",
    "export * from 'bullmq';",
    "export const later = import('bullmq');",
  ];
  it('see every form of import, of types too', () => {
    expect([...(reported.get('libs/messaging/src/forms.ts') ?? [])].sort()).toEqual(
      [...FORMS].sort(),
    );
  });

  // The one form that the linter does not see: `import('bullmq').Job` as a type.
  it('are not evaded by inline type imports', () => {
    const evading = ['apps', 'libs'].flatMap(sources).flatMap((file) => {
      const uses = readFileSync(file, 'utf8').matchAll(/\bimport\(\s*'([^']+)'\s*\)\.(?!then\b)/g);
      return [...uses]
        .filter(([, specifier]) => !specifier?.startsWith('./'))
        .map(([text]) => `${path.relative(ROOT, file)}: ${text}`);
    });
    expect(evading).toEqual([]);
  });
});

describe('other rules', () => {
  it('report what they forbid in shipped code', () => {
    const file = 'apps/api/src/planted.ts';
    const lines = Object.values(PLANTED);
    const cycle = { file: 'apps/api/src/cycle.ts', lines: ["import './planted.js';"] };
    const reported = lint([{ file, lines }, cycle], (code) => code);
    for (const [code, line] of Object.entries(PLANTED)) {
      expect(reported.get(file), line).toContain(code);
    }
  });
});

interface Planted {
  file: string;
  lines: string[];
}

interface Report {
  diagnostics: { code: string; filename: string; labels: { span: { line: number } }[] }[];
}

/** Lints planted files under the real configuration; by file, what `pick` makes of each report: at first its line. */
function lint(
  planted: Planted[],
  pick = (code: string, line: string) =>
    code === 'eslint(no-restricted-imports)' ? line : undefined,
): Map<string, Set<string>> {
  const dir = tempDir();
  copyFileSync(path.join(ROOT, '.oxlintrc.json'), path.join(dir, '.oxlintrc.json'));
  writeFileSync(path.join(dir, 'tsconfig.json'), '{ "compilerOptions": { "strict": true } }');
  for (const { file, lines } of planted) {
    mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
    writeFileSync(path.join(dir, file), `${lines.join('\n')}\n`);
  }

  const oxlint = path.join(ROOT, 'node_modules/oxlint/bin/oxlint');
  const args = [oxlint, '--type-aware', '-c', '.oxlintrc.json', '-f', 'json', '.'];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: dir, encoding: 'utf8' });
  expect(stdout, stderr).toMatch(/^\{/);
  const found = new Map<string, Set<string>>();
  for (const { code, filename, labels } of (JSON.parse(stdout) as Report).diagnostics) {
    const lines = planted.find(({ file }) => file === filename)?.lines ?? [];
    const picked = pick(code, lines[(labels[0]?.span.line ?? 0) - 1] ?? '');
    if (picked) found.set(filename, (found.get(filename) ?? new Set()).add(picked));
  }
  return found;
}

function sources(folder: string): string[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => path.join(ROOT, folder, file));
}
