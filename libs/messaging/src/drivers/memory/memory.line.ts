/** One item's place in a {@link Line}. */
export interface Place<T> {
  readonly item: T;
  before?: Place<T>;
  after?: Place<T>;
}

/** First in, first out; items can leave from anywhere. */
export class Line<T> {
  private head?: Place<T>;
  private tail?: Place<T>;
  private count = 0;

  get size(): number {
    return this.count;
  }

  get first(): T | undefined {
    return this.head?.item;
  }

  /** @param next whom to stand before; default: at the end */
  join(item: T, next?: Place<T>): Place<T> {
    const place: Place<T> = { item, before: next ? next.before : this.tail, after: next };
    if (place.before) place.before.after = place;
    else this.head = place;
    if (next) next.before = place;
    else this.tail = place;
    this.count++;
    return place;
  }

  /** Once for each place. */
  leave({ before, after }: Place<T>): void {
    if (before) before.after = after;
    else this.head = after;
    if (after) after.before = before;
    else this.tail = before;
    this.count--;
  }

  *[Symbol.iterator](): Generator<T> {
    for (let place = this.head; place; place = place.after) yield place.item;
  }

  /** Places, last first. */
  *backwards(): Generator<Place<T>> {
    for (let place = this.tail; place; place = place.before) yield place;
  }
}
