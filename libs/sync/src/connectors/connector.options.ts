import { OptionError } from '@callsheet/messaging';

/** The options of a connector, checked one by one: the first bad one is an error that names it, where the part is made. */
export class ConnectorOptions {
  /**
   * @param connector names them in errors: 'postgresTable'
   * @param known names of the options that there are
   */
  constructor(
    private readonly connector: string,
    private readonly given: object,
    known: readonly string[],
  ) {
    if (typeof given !== 'object' || given === null) this.fail('options', 'must be an object');
    for (const option of Object.keys(given)) {
      if (!known.includes(option)) this.fail(option, 'is not an option');
    }
  }

  /** Text that is not empty. */
  text(option: string, fallback?: string): string {
    const value = this.get(option) ?? fallback;
    if (typeof value === 'string' && value !== '') return value;
    return this.fail(option, 'must be text');
  }

  /** An address that begins with one of these protocols. */
  url(option: string, protocols: readonly string[]): string {
    const text = this.text(option);
    if (URL.canParse(text) && protocols.includes(new URL(text).protocol)) return text;
    return this.fail(option, `must be a URL that begins with ${protocols.join(' or ')}//`);
  }

  /** One name or several. */
  names(option: string, fallback?: readonly string[]): string[] {
    const value = this.get(option) ?? fallback;
    const list: unknown[] = Array.isArray(value) ? value : [value];
    const isList = list.length > 0 && list.every((each) => typeof each === 'string' && each !== '');
    return isList ? (list as string[]) : this.fail(option, 'must be a name, or a list of names');
  }

  flag(option: string, fallback: boolean): boolean {
    const value = this.get(option) ?? fallback;
    return typeof value === 'boolean' ? value : this.fail(option, 'must be true or false');
  }

  /** A function. */
  method<F>(option: string): F {
    const value = this.get(option);
    return typeof value === 'function' ? (value as F) : this.fail(option, 'must be a function');
  }

  has(option: string): boolean {
    return this.get(option) !== undefined;
  }

  fail(option: string, problem: string): never {
    throw new OptionError(`${this.connector} ${option}`, problem);
  }

  private get(option: string): unknown {
    return (this.given as Record<string, unknown>)[option];
  }
}
