import { OptionError } from '@callsheet/messaging';
import { ApiHeader } from './openapi.decorators.js';

export const ApiReason = (): MethodDecorator =>
  ApiHeader({
    name: 'X-Reason',
    required: false,
    description: 'why it is changed, for its history; 1 to 200 characters',
  });

/** Why something is changed, as the header says. @throws OptionError */
export function checkedReason(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const reason = decoded(header);
  if (reason.length >= 1 && reason.length <= 200) return reason;
  throw new OptionError('X-Reason', 'must be a text of 1 to 200 characters');
}

/** Node reads the bytes of headers as Latin-1; most clients send UTF-8. */
function decoded(header: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(header, 'latin1'));
  } catch {
    return header;
  }
}
