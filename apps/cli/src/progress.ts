import type { Shell } from './shell.js';

const WIDTH = 24;
/** How often at most it is drawn, ms. */
const EVERY = 100;

/** How far long work is, on standard error: a bar that moves in a terminal; elsewhere only how it ended. */
export class Progress {
  private drawnAt = -Infinity;
  private isDrawn = false;

  /**
   * @param stream where a person looks; undefined: nobody does
   * @param what is counted: 'messages sent'
   * @param total how many there will be; undefined when nobody knows
   */
  constructor(
    private readonly stream: Shell['stderr'] | undefined,
    private readonly what: string,
    private readonly total?: number,
  ) {}

  /** @param part how much of all is done, 0 to 1, where the total is not known */
  at(count: number, part = this.total ? count / this.total : undefined): void {
    const now = performance.now();
    if (this.stream?.isTTY !== true || now - this.drawnAt < EVERY) return;
    this.drawnAt = now;
    this.isDrawn = true;
    this.stream.write(`\r\u001b[K${barOf(part)}${this.text(count)}`);
  }

  /** Leaves one line that says what was done. */
  end(count: number): void {
    this.stream?.write(`${this.isDrawn ? '\r\u001b[K' : ''}${this.text(count)}\n`);
    this.isDrawn = false;
  }

  private text(count: number): string {
    const all = this.total === undefined ? '' : ` of ${this.total.toLocaleString('en')}`;
    return `${count.toLocaleString('en')}${all} ${this.what}`;
  }
}

function barOf(part: number | undefined): string {
  if (part === undefined) return '';
  const full = Math.round(Math.min(1, part) * WIDTH);
  return `[${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}] `;
}
