// Declaring
export { Pipeline } from './pipeline.decorator.js';
export {
  type BadRow,
  type Page,
  type PageOutcome,
  type PipelineOptions,
  type PipelineParts,
  type Pull,
  type Pulled,
  type Sink,
  type Source,
} from './pipeline.js';

// Ready parts
export { csvFile, type CsvFileOptions } from './connectors/csv.file.js';
export { httpPages, type HttpPagesOptions } from './connectors/http.pages.js';
export { messages, type MessagesOptions } from './connectors/messages.js';
export { ndjsonFile, type NdjsonFileOptions } from './connectors/ndjson.file.js';
export { postgresOutbox, type PostgresOutboxOptions } from './connectors/postgres.outbox.js';
export {
  postgresReplication,
  type PostgresReplicationOptions,
} from './connectors/postgres.replication.js';
export { postgresTable, type PostgresTableOptions } from './connectors/postgres.table.js';
export { postgresUpsert, type PostgresUpsertOptions } from './connectors/postgres.upsert.js';

// Running and watching
export {
  Pipelines,
  type BackfillRange,
  type PipelineListOptions,
  type RunOptions,
  type StartedRun,
} from './pipelines.js';
export {
  type EndedRunRecord,
  type PageCounts,
  type PipelineRecord,
  type RunRecord,
} from './pipeline.record.js';
export { type PipelineEntry } from './pipeline.journal.js';

// Setting up
export { isPipelineMessage } from './pipeline.messages.js';
export { SYNC_ACTORS, SyncModule } from './sync.module.js';

// Errors
export { BadRowError, PipelinePausedError, PullError, TooManyRunsError } from './sync.errors.js';
