import { Inject, Injectable } from '@nestjs/common';
import { toMilliseconds, type Duration } from '../duration.js';
import { ENGINE, type Engine } from '../engine.js';
import { MessageRegistry } from '../message.registry.js';
import { OptionError } from '../messaging.errors.js';
import { EncryptedEngine } from './encrypted.engine.js';
import { Rotation, type RotationReport } from './rotation.js';

/** Options of {@link Encryption.rotate}. */
export interface RotateOptions {
  /** Names of actors. Default: all that this process knows. */
  actors?: readonly string[];
  /** How long to wait for workers, and to rewrite dead letters, in all. Default '1m'. */
  within?: Duration;
}

/** What operators do with the keys that payloads are encrypted with. */
@Injectable()
export class Encryption {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly registry: MessageRegistry,
  ) {}

  /**
   * Has the states of all keys encrypted with the first key of the ring, each by a turn of its own among those of its key, and dead
   * letters in place, and counts what is not: an old key may go when nothing is left. Workers must have that key, and run. May be run again.
   *
   * @throws OptionError when this process encrypts nothing
   */
  async rotate({ actors, within = '1m' }: RotateOptions = {}): Promise<RotationReport[]> {
    const { engine } = this;
    if (!(engine instanceof EncryptedEngine)) {
      throw new OptionError('encryption.keys', 'must be given: this process encrypts nothing');
    }
    const rotation = new Rotation(
      engine.inside,
      engine,
      engine.ring,
      toMilliseconds(within, 'within'),
    );
    const reports: RotationReport[] = [];
    for (const actor of actors ?? this.registry.actors())
      reports.push(await rotation.rotate(actor));
    return reports;
  }
}
