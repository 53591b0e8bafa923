import { ENGINE, QUEUES, type Engine, type Queues } from '@callsheet/messaging';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { ProblemError, sendProblem } from '../problem.js';

/** A BullMQ queue, in the type of the copy of bullmq that the board sees. */
type Queue = ConstructorParameters<typeof BullMQAdapter>[0];

const PATH = '/board';
const DEAD = /^(.+)\.dead$/;

/** Serves Bull Board with the queues of all actors; on a store without queues, a problem that says so. */
export async function mountBoard(app: NestFastifyApplication): Promise<void> {
  const queues = app.get<Queues>(QUEUES);
  const { shared } = app.get<Engine>(ENGINE).store;
  const server = new FastifyAdapter().setBasePath(PATH);
  const board = createBullBoard({
    queues: [],
    serverAdapter: server,
    options: { uiConfig: { boardTitle: 'Callsheet', hideDocsLink: true } },
  });
  let shown = 0;
  await app.register(
    async (scope: FastifyInstance) => {
      scope.addHook('onRequest', async (_request, reply) => {
        const all = queues.all() as readonly Queue[];
        if (all.length === 0) return sendProblem(reply, nothingToShow());
        if (all.length === shown) return;
        // Actors become known while the application starts, after the board is mounted.
        board.replaceQueues(all.map((queue) => toBoardQueue(queue, shared)));
        shown = all.length;
      });
      await scope.register(server.registerPlugin());
    },
    { prefix: PATH },
  );
}

/** The board warns of a queue without workers. Nothing ever consumes dead letters, and an embedded store cannot tell. */
class UnwatchedQueue extends BullMQAdapter {
  override getWorkers(): Promise<null> {
    return Promise.resolve(null);
  }
}

/** @param shared whether the store can tell who consumes a queue */
function toBoardQueue(queue: Queue, shared: boolean): BullMQAdapter {
  const actor = DEAD.exec(queue.name)?.[1];
  const description = actor
    ? `Dead letters of the actor ${actor}; retry puts them back into its queue`
    : `Messages of the actor ${queue.name}`;
  const Adapter = shared && !actor ? BullMQAdapter : UnwatchedQueue;
  return new Adapter(queue, { description });
}

function nothingToShow(): ProblemError {
  return new ProblemError(
    'not_found',
    'the memory store has no queues to show; use another CALLSHEET_URL, or look at /v1/actors',
  );
}
