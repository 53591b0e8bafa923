import { Actor, Handle, Message, type Turn } from '@callsheet/messaging';
import { z } from 'zod';

/** Name of the actor that knows all pipelines. */
export const SYNC = 'sync';

const description = {
  /** Rows of a page. */
  page: z.number().default(500),
  every: z.string().optional(),
  cron: z.string().optional(),
  tz: z.string().optional(),
};

/** A process has this pipeline. */
export class DeclarePipeline extends Message(
  `${SYNC}.declare`,
  z.object({ key: z.string(), ...description }),
  { key: 'key' },
) {}

/** Nobody has this pipeline any more. */
export class RemovePipeline extends Message(`${SYNC}.remove`, z.object({ key: z.string() }), {
  key: 'key',
  reply: z.boolean(),
}) {}

const listing = z.object({ isDeclared: z.boolean().default(false), ...description });

/** Knows which pipelines there are, for processes that have none: each is a key. Their own state is with their own actors. */
@Actor({ name: SYNC, state: listing, retry: { attempts: 20, delay: '1s', max: '1m' } })
export class DirectoryActor {
  @Handle(DeclarePipeline)
  declare({ key: _, ...declared }: DeclarePipeline, turn: Turn<typeof listing>): void {
    turn.state = { isDeclared: true, ...declared };
  }

  @Handle(RemovePipeline)
  remove(_: RemovePipeline, turn: Turn<typeof listing>): boolean {
    turn.forget();
    return turn.state.isDeclared;
  }
}
