import { ContextIdFactory, type ContextId } from '@nestjs/core';
import { REQUEST_CONTEXT_ID } from '@nestjs/core/internal';
import { RequestContextHost } from '@nestjs/microservices/context/request-context-host.js';
import type { TurnContext } from './turn.context.js';

/**
 * What `@Inject(REQUEST)` (`CONTEXT` of @nestjs/microservices) gives to the request-scoped providers of a turn. It is the
 * RequestContext that Nest injects in microservices, so providers made for them work unchanged: `data` is the message,
 * `context` the {@link TurnContext}, `pattern` the type of the message.
 */
export class TurnRequest<M = unknown> extends RequestContextHost<M, TurnContext> {
  /**
   * What the sender attached, in the place where strategies for durable providers look on HTTP requests. Empty for a batch,
   * whose messages may come from several tenants.
   */
  readonly headers: Readonly<Record<string, string>>;

  constructor(data: M, context: TurnContext) {
    super(context.getMessageType(), data, context);
    const [turn, other] = context.getTurns();
    this.headers = turn && !other ? turn.headers : {};
  }

  /** The context that the strategy in force (`ContextIdFactory.apply`) chooses; its payload becomes part of the request. */
  open(register: (request: unknown, id: ContextId) => void, isDurable: boolean): ContextId {
    const id = ContextIdFactory.getByRequest(this);
    const { payload } = id as { payload?: object };
    Object.defineProperty(this, REQUEST_CONTEXT_ID, { value: id });
    // A durable provider outlives the turn, so it must not hold the turn's request.
    register(isDurable ? payload : Object.assign(this, payload), id);
    return id;
  }
}
