import { OptionError } from '@callsheet/messaging';
import { ApiHeader } from './openapi.decorators.js';

/** Of a call that says itself what it does when it is asked again. */
export const ApiOnce = (description: string): MethodDecorator =>
  ApiHeader({ name: 'Idempotency-Key', required: false, description });

/** The value of the header of a call whose body has no place for it. @throws OptionError */
export function checkedKey(header: string | undefined): string | undefined {
  if (header === undefined || (header.length >= 1 && header.length <= 200)) return header;
  throw new OptionError('Idempotency-Key', 'must be a string of 1 to 200 characters');
}
