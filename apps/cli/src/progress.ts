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

  at(count: number): void {
    const now = performance.now();
    if (this.stream?.isTTY !== true || now - this.drawnAt < EVERY) return;
    this.drawnAt = now;
    this.isDrawn = true;
    this.stream.write(`\r\u001b[K${this.bar(count)}${this.text(count)}`);
  }

  /** Leaves one line that says what was done. */
  end(count: number): void {
    this.stream?.write(`${this.isDrawn ? '\r\u001b[K' : ''}${this.text(count)}\n`);
    this.isDrawn = false;
  }

  private bar(count: number): string {
    if (!this.total) return '';
    const full = Math.round(Math.min(1, count / this.total) * WIDTH);
    return `[${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}] `;
  }

  private text(count: number): string {
    const all = this.total === undefined ? '' : ` of ${this.total.toLocaleString('en')}`;
    return `${count.toLocaleString('en')}${all} ${this.what}`;
  }
}
