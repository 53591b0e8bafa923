import type { FastifyInstance, FastifyReply } from 'fastify';

/** What an answer has beside its body, that one who comes later would change. */
interface Head {
  status: number;
  type: ReturnType<FastifyReply['getHeader']>;
}

/**
 * Of a handler and its timeout lets only the one answer that was first. Until an answer is written Fastify takes another: what
 * a handler answers while the problem of the timeout waits for hooks would go out with the status of the problem. Must be added
 * before any other hook that answers pass on their way out.
 */
export function answerOnce(fastify: FastifyInstance): void {
  const begun = new WeakMap<FastifyReply, Head>();
  const timedOut = new WeakSet<FastifyReply>();

  fastify.addHook('onError', (_request, reply, error, done) => {
    if (error.code === 'FST_ERR_HANDLER_TIMEOUT') timedOut.add(reply);
    done();
  });

  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    const first = begun.get(reply);
    if (first && timedOut.has(reply)) {
      // This one goes no further, and what it has set is set back.
      void reply.code(first.status).header('content-type', first.type);
      return;
    }
    begun.set(reply, { status: reply.statusCode, type: reply.getHeader('content-type') });
    done();
  });
}
