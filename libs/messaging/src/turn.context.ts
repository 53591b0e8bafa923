import { BaseRpcContext } from '@nestjs/microservices/ctx-host/base-rpc.context.js';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { AnyTurn } from './actor.decorators.js';
import { TurnUsageError } from './messaging.errors.js';
import type { Turn } from './turn.js';

/**
 * The context of a handler for guards, pipes, interceptors, exception filters and `@Ctx()`: what a Nest microservice has as
 * KafkaContext and the like.
 *
 *     canActivate(context: ExecutionContext) {
 *       const message = context.switchToRpc().getData<Deposit>();
 *       const { tenant } = context.switchToRpc().getContext<TurnContext>().getTurn();
 */
export class TurnContext extends BaseRpcContext<AnyTurn[]> {
  /** @param given what the method gets as its second argument: its turn, or the turns of a batch */
  constructor(readonly given: AnyTurn | readonly AnyTurn[]) {
    super(Array.isArray(given) ? [...(given as AnyTurn[])] : [given as AnyTurn]);
  }

  /**
   * The turn at work.
   *
   * @throws TurnUsageError in a batch handler, which has several
   */
  getTurn<S extends StandardSchemaV1 = StandardSchemaV1<unknown, undefined>>(): Turn<S> {
    if (!Array.isArray(this.given)) return this.given as Turn<S>;
    throw new TurnUsageError('a batch handler has several turns: use getTurns()');
  }

  /** All turns at work: one, or those of a batch. */
  getTurns(): readonly AnyTurn[] {
    return this.args;
  }

  /** Type of the message, or of all messages of the batch. */
  getMessageType(): string {
    return (this.args[0] as AnyTurn).type;
  }

  /** The same by the name that Nest's contexts have for it. */
  getPattern(): string {
    return this.getMessageType();
  }
}
