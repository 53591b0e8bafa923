import { OptionError } from '@callsheet/messaging';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { PipelineOptions, Sink, Source } from './pipeline.js';
import { SYNC } from './directory.actor.js';

/** A pipeline ready to run. */
export interface DeclaredPipeline {
  readonly name: string;
  readonly page: number;
  readonly schema?: StandardSchemaV1;
  readonly source: Source;
  readonly sink: Sink;
}

/** Options of a pipeline, checked. */
export interface ResolvedPipeline extends Pick<
  PipelineOptions,
  'every' | 'cron' | 'tz' | 'schema' | 'timeout' | 'retry'
> {
  readonly name: string;
  readonly page: number;
}

const NAME = /^[a-z][a-z0-9-]{0,62}$/;
const MOST_ROWS = 5_000;
const OPTIONS = new Set<string>([
  'name',
  'every',
  'cron',
  'tz',
  'page',
  'schema',
  'timeout',
  'retry',
] satisfies (keyof PipelineOptions)[]);

/** @throws OptionError that names the bad one */
export function resolvePipeline(target: string, options: PipelineOptions): ResolvedPipeline {
  const path = `@Pipeline ${target}`;
  for (const option of Object.keys(options)) {
    if (!OPTIONS.has(option)) throw new OptionError(`${path} ${option}`, 'is not an option');
  }
  const { name = kebab(target), page = 500, schema, every, cron, tz } = options;
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new OptionError(`${path} name`, `must match ${NAME}, got '${name}'`);
  }
  if (name === SYNC) throw new OptionError(`${path} name`, 'is that of the list of pipelines');
  if (!Number.isSafeInteger(page) || page < 1 || page > MOST_ROWS) {
    throw new OptionError(`${path} page`, `must be a whole number from 1 to ${MOST_ROWS}`);
  }
  if (schema && typeof schema['~standard']?.validate !== 'function') {
    throw new OptionError(`${path} schema`, 'must be a Standard Schema');
  }
  if (every !== undefined && cron !== undefined) {
    throw new OptionError(`${path} cron`, 'cannot be combined with every');
  }
  if (tz !== undefined && cron === undefined) throw new OptionError(`${path} tz`, 'needs cron');
  const { timeout = '5m', retry = {} } = options;
  return { ...options, name, page, timeout, retry };
}

/** `ContactsSync` is 'contacts-sync'. */
function kebab(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();
}
