import { parseSecret } from '@callsheet/contracts';
import { OptionError } from '@callsheet/messaging';

const SETTING = 'HOOK_SECRETS';
/** A word of a topic, short enough to leave room for ids. */
const SOURCE = /^[a-z0-9][a-z0-9_-]{0,29}$/;

/** From whom webhooks are taken, and the keys with which they sign. */
export class HookSecrets {
  private readonly sources = new Map<string, Buffer[]>();

  /**
   * @param text `shop=whsec_...,bank=whsec_...`: a source, 1 to 30 lower-case letters, digits, dashes and underscores, and its
   *   secret. One that changes its secret stands there with both. Default: no sources
   * @throws OptionError for what is no such list; never shows a secret
   */
  constructor(text = '') {
    for (const entry of text.split(',').map((part) => part.trim())) {
      if (entry === '') continue;
      const [source = '', secret] = entry.split(/=(.*)/s);
      if (secret === undefined || !SOURCE.test(source)) {
        throw new OptionError(
          SETTING,
          'must be like shop=whsec_...,bank=whsec_...: sources of 1 to 30 lower-case letters, digits, - and _, each with a secret',
        );
      }
      const known = this.sources.get(source) ?? [];
      this.sources.set(source, [...known, parseSecret(secret, `${SETTING} ${source}`)]);
    }
  }

  /** The keys of a source; undefined when none is known. */
  of(source: string): readonly Buffer[] | undefined {
    return this.sources.get(source);
  }
}
