import { z } from 'zod';
import { schemas } from '../schema.registry.js';

/** The body that pauses a pipeline. */
export const pipelinePause = z
  .strictObject({ reason: z.string().describe('1 to 500 characters') })
  .register(schemas, { id: 'PipelinePause' });
export type PipelinePause = z.output<typeof pipelinePause>;

/** The body of a reset; there need not be one. */
export const pipelineReset = z
  .strictObject({
    cursor: z
      .unknown()
      .optional()
      .describe(
        'where it begins from now on, as its source understands; default null: the beginning',
      ),
  })
  .optional()
  .register(schemas, { id: 'PipelineReset' });
export type PipelineReset = z.output<typeof pipelineReset>;

/** The body of a backfill; there need not be one. */
export const pipelineBackfill = z
  .strictObject({
    from: z.unknown().optional().describe('cursor at which it begins; default null: the beginning'),
    until: z
      .unknown()
      .optional()
      .describe('where it ends, as the source understands; default: at the end of the source'),
  })
  .optional()
  .register(schemas, { id: 'PipelineBackfill' });
export type PipelineBackfill = z.output<typeof pipelineBackfill>;
