import { RejectError } from '@callsheet/messaging';

/** The receiver answered 410: it wants nothing more under this URL. Told apart by its code, so that an operator can stop sending. */
export class EndpointGoneError extends RejectError {
  override readonly code = 'endpoint_gone';
}
