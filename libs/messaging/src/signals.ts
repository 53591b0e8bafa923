import { Inject, Injectable, Logger } from '@nestjs/common';
import { ENGINE, SIGNAL_BYTES, type Engine } from './engine.js';
import { stringProblem } from './json.js';
import { OptionError } from './messaging.errors.js';
import { checkedText } from './sealing.js';
import { currentScope, outsideTurn, requireWriter } from './turn.scope.js';

/**
 * Tells processes something now: that there is something new to read, say. Every process on the store hears it that listens, and
 * nothing is stored: who is not connected in that moment does not hear it. So what a signal is about is kept elsewhere, and
 * whoever relies on it looks there now and then without a signal.
 */
@Injectable()
export class Signals {
  private readonly logger = new Logger('Callsheet');

  constructor(@Inject(ENGINE) private readonly engine: Engine) {}

  /**
   * Tells all who listen to `name`, in this process too. Resolves when the store has been told; inside a handler, when it has
   * joined the turn: it is told after the commit, so that who hears it finds what was committed, and not at all if the turn
   * fails.
   *
   * @param name 1 to 200 characters, of any kind
   * @param text at most 4,000 bytes of UTF-8; default none
   * @throws OptionError for another name or text
   * @throws StoreError when the store does not answer
   * @throws TurnEndedError, TurnUsageError when the turn is over, only reads, is one of a batch, or sends more than 1,000
   */
  async send(name: string, text = ''): Promise<void> {
    const signal = { name: checkedText(name, 'name'), text: checkedSignalText(text) };
    requireWriter();
    const scope = currentScope();
    if (scope) scope.signal(signal);
    else await this.engine.signal([signal]);
  }

  /**
   * Calls `hear` with the text of each signal of that name, outside of any turn. What it throws is logged. Resolves, when nothing
   * is missed any more as long as the connection holds, to a function that ends it; a connection that breaks comes back by
   * itself.
   *
   * @param name 1 to 200 characters, of any kind
   * @throws OptionError for another name
   * @throws StoreError when the store does not answer
   */
  async listen(name: string, hear: (text: string) => void): Promise<() => Promise<void>> {
    if (typeof hear !== 'function') throw new OptionError('hear', 'must be a function');
    return this.engine.onSignal(checkedText(name, 'name'), (text) => {
      try {
        outsideTurn(() => hear(text));
      } catch (error) {
        // The others who listen must hear it, and whoever tells it has done nothing wrong.
        this.logger.error(`who listens to the signal '${name}' failed: ${String(error)}`);
      }
    });
  }
}

function checkedSignalText(text: string): string {
  const isText = typeof text === 'string' && !stringProblem(text);
  if (isText && Buffer.byteLength(text) <= SIGNAL_BYTES) return text;
  throw new OptionError('text', `must be a string of at most ${SIGNAL_BYTES} bytes`);
}
