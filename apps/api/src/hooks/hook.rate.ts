import { Injectable } from '@nestjs/common';
import { Pace } from '../pace.js';

/**
 * How many webhooks of a source one process takes: a source that goes astray must not fill the store. Counted are those whose
 * signature is right, so that nobody else can use it up.
 */
@Injectable()
export class HookRate extends Pace {
  constructor() {
    super(100, 500);
  }
}
