import { RejectError } from '@callsheet/messaging';

/** Nobody wants a push any more whose time is up; told apart by its code. */
export class PushExpiredError extends RejectError {
  override readonly code = 'push_expired';
}
