import { OptionError } from '@callsheet/messaging';

/** The value of the header of a call whose body has no place for it. @throws OptionError */
export function checkedKey(header: string | undefined): string | undefined {
  if (header === undefined || (header.length >= 1 && header.length <= 200)) return header;
  throw new OptionError('Idempotency-Key', 'must be a string of 1 to 200 characters');
}
