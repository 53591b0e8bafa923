import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EmailAttachment } from '@callsheet/contracts';
import { RejectError } from '@callsheet/messaging';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startHttpPeer, type HttpPeer } from '../../../../test/support/http.peer.js';
import { AddressRefusedError, GuardedFetch } from '../outbound/guarded.fetch.js';
import { Settings } from '../settings.js';
import { FILE_LIMIT, MAIL_LIMIT, MailAttachments } from './mail.attachments.js';

const never = new AbortController().signal;

let top: string;
let folder: string;
beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'attachments-'));
  folder = join(top, 'files');
  await mkdir(folder);
});
afterEach(() => rm(top, { recursive: true }));

/** @param allow networks that URLs may lead to */
async function load(
  attachments: readonly Partial<EmailAttachment>[],
  { allow = '127.0.0.1', signal = never }: { allow?: string; signal?: AbortSignal } = {},
) {
  const settings = new Settings({ MAIL_ATTACHMENTS: folder, WEBHOOK_ALLOW: allow });
  const guarded = new GuardedFetch(settings.allowed);
  const all = attachments.map((own) => ({ filename: 'f', ref: '', ...own }));
  try {
    return await new MailAttachments(settings, guarded).load(all, signal);
  } finally {
    await guarded.onApplicationShutdown();
  }
}

const failure = (loading: Promise<unknown>): Promise<unknown> =>
  loading.then(
    () => 'it was loaded',
    (error: unknown) => error,
  );

async function refusal(loading: Promise<unknown>): Promise<string> {
  const error = await failure(loading);
  expect(error).toBeInstanceOf(RejectError);
  return (error as Error).message;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('a file of the folder', () => {
  it('is attached as it is called, and may lie deeper or behind a link that stays inside', async () => {
    await mkdir(join(folder, 'a'));
    await writeFile(join(folder, 'a/b.txt'), 'hello');
    await symlink('a', join(folder, 'link'));
    const files = [
      { ref: 'a/b.txt', cid: 'c' },
      { ref: 'link/b.txt', contentType: 'text/x' },
    ];
    const content = Buffer.from('hello');
    expect(await load(files)).toEqual([
      { filename: 'f', content, cid: 'c' },
      { filename: 'f', content, contentType: 'text/x' },
    ]);
  });

  it('that leaves the folder is refused, by dots and by links', async () => {
    await writeFile(join(top, 'secret'), 'secret');
    await symlink('../secret', join(folder, 'file'));
    await symlink('..', join(folder, 'up'));
    await symlink('/etc', join(folder, 'etc'));
    await mkdir(join(top, 'files-of-others'));
    await writeFile(join(top, 'files-of-others/x'), 'secret');
    await symlink('../files-of-others/x', join(folder, 'sibling'));
    for (const ref of ['../secret', 'file', 'up/secret', 'etc/passwd', 'sibling']) {
      expect(await refusal(load([{ ref }]))).toBe(
        `attachment ${ref} is outside of the folder MAIL_ATTACHMENTS`,
      );
    }
  });

  it('that is not there, or is none, is refused', async () => {
    await writeFile(join(folder, 'file'), '');
    await mkdir(join(folder, 'sub'));
    await symlink('loop', join(folder, 'loop'));
    for (const ref of ['nothing', 'file/x', 'loop']) {
      expect(await refusal(load([{ ref }]))).toBe(
        `attachment ${ref} is not in the folder MAIL_ATTACHMENTS`,
      );
    }
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    for (const ref of ['sub', 'pipe']) {
      expect(await refusal(load([{ ref }]))).toBe(`attachment ${ref} is no file`);
    }
  });

  it('is checked against its digest', async () => {
    await writeFile(join(folder, 'file'), 'hello');
    expect(await load([{ ref: 'file', sha256: sha256('hello') }])).toHaveLength(1);
    expect(await refusal(load([{ ref: 'file', sha256: sha256('other') }]))).toBe(
      'attachment file is not the file that its sha256 names',
    );
  });

  it('may have 10 MB, and all of them 20', async () => {
    await writeFile(join(folder, 'full'), '');
    await truncate(join(folder, 'full'), FILE_LIMIT);
    await writeFile(join(folder, 'over'), '');
    await truncate(join(folder, 'over'), FILE_LIMIT + 1);
    await writeFile(join(folder, 'byte'), 'x');
    const full = { ref: 'full' };
    expect(await load([full, full])).toHaveLength(2);
    expect(await refusal(load([{ ref: 'over' }]))).toContain(`more than ${FILE_LIMIT} bytes`);
    expect(await refusal(load([full, full, { ref: 'byte' }]))).toContain(
      `more than ${MAIL_LIMIT} bytes in all`,
    );
  });
});

describe('a URL', () => {
  let peer: HttpPeer;
  beforeEach(async () => {
    peer = await startHttpPeer();
  });

  it('is fetched', async () => {
    peer.answer({ status: 200, body: 'hello' });
    const ref = `${peer.url}/a?token=1`;
    const [file] = await load([{ ref, sha256: sha256('hello') }]);
    expect(String(file?.content)).toBe('hello');
    expect(peer.requests.map(({ method, url }) => [method, url])).toEqual([['GET', '/a?token=1']]);
  });

  it.each([301, 401, 403, 404, 410])(
    'that answers %i is refused, without its query',
    async (status) => {
      peer.answer({ status, headers: { location: '/b' } });
      expect(await refusal(load([{ ref: `${peer.url}/a?token=1` }]))).toBe(
        `attachment ${peer.url}/a was answered with ${status}`,
      );
      expect(peer.requests).toHaveLength(1);
    },
  );

  it.each([408, 425, 429, 500, 503])('that answers %i is tried again', async (status) => {
    peer.answer({ status });
    const error = await failure(load([{ ref: `${peer.url}/a` }]));
    expect(error).not.toBeInstanceOf(RejectError);
    expect((error as Error).message).toBe(
      `attachment ${peer.url}/a could not be had: it was answered with ${status}`,
    );
  });

  it('that answers nothing is tried again', async () => {
    peer.answer('reset');
    const error = await failure(load([{ ref: `${peer.url}/a` }]));
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(RejectError);
  });

  it('that cannot be reached is tried again, and the error names it and says why', async () => {
    await peer.stop();
    const error = await failure(load([{ ref: `${peer.url}/a?token=1` }]));
    expect(error).not.toBeInstanceOf(RejectError);
    expect((error as Error).message).toMatch(/\/a could not be had: .*ECONNREFUSED/);
    expect((error as Error).message).not.toContain('token');
  });

  it('that is silent is left when the turn is aborted', async () => {
    const controller = new AbortController();
    const reason = new Error('the process is stopping');
    peer.answer(() => {
      controller.abort(reason);
      return 'silence';
    });
    expect(await failure(load([{ ref: `${peer.url}/a` }], { signal: controller.signal }))).toBe(
      reason,
    );
  });

  it('that leads where it may not is not asked', async () => {
    const error = await failure(load([{ ref: `${peer.url}/a` }], { allow: '' }));
    expect(error).toBeInstanceOf(AddressRefusedError);
    expect(peer.requests).toEqual([]);
  });

  it('with too much or other content is refused', async () => {
    peer.answer({ status: 200, body: 'x'.repeat(FILE_LIMIT + 1) });
    expect(await refusal(load([{ ref: peer.url }]))).toContain(`more than ${FILE_LIMIT} bytes`);
    peer.answer({ status: 200, body: 'other' });
    expect(await refusal(load([{ ref: peer.url, sha256: sha256('hello') }]))).toContain('sha256');
  });
});
