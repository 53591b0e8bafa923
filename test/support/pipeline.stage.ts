import { CallsheetModule, type DeadLetter, DeadLetters } from '@callsheet/messaging';
import { Pipelines, SyncModule, type PipelineRecord } from '@callsheet/sync';
import type { INestApplicationContext, Provider } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { eventually } from './eventually.js';

/** An application with one pipeline, on a store. */
export interface PipelineStage {
  readonly app: INestApplicationContext;
  readonly pipelines: Pipelines;
  /** Asks for a run, and waits until there is none in work. Answers what became of it. */
  readonly sync: () => Promise<PipelineRecord>;
  /** Bad rows, the oldest first, each with what is wrong with it. */
  readonly bad: () => Promise<{ row: unknown; error: string | undefined; letter: DeadLetter }[]>;
  readonly close: () => Promise<void>;
}

const none = (): void => undefined;
const SILENT = { log: none, warn: none, error: none, debug: none, verbose: none, fatal: none };

/** @param name of the pipeline among the providers */
export async function startPipeline(
  name: string,
  providers: Provider[],
  url = 'memory:',
): Promise<PipelineStage> {
  const app = await Test.createTestingModule({
    imports: [CallsheetModule.forRoot({ url }), SyncModule],
    providers,
  })
    .setLogger(SILENT)
    .compile();
  await app.init();
  const pipelines = app.get(Pipelines);
  const record = async (): Promise<PipelineRecord> =>
    (await eventually(async () => (await pipelines.get(name)) ?? null))!;
  await record();
  return {
    app,
    pipelines,
    async sync() {
      await pipelines.run(name);
      await eventually(
        async () => ['idle', 'failed'].includes((await pipelines.get(name))?.state ?? ''),
        { timeout: 20_000, interval: 5 },
      );
      return record();
    },
    async bad() {
      const { bad } = await record();
      const letters = await eventually(async () => {
        const found = await app.get(DeadLetters).list({ actor: name });
        return found.length >= bad && found;
      });
      if (!letters) return [];
      return letters.reverse().map((letter) => ({
        row: (letter.envelope.data as { row: unknown }).row,
        error: letter.history.at(-1)?.error.message,
        letter,
      }));
    },
    close: () => app.close(),
  };
}
