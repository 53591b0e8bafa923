/** Stands for every actor or type that has no series of its own. */
const OTHER = 'other';

/** The most pairs of actor and type that have series of their own. */
export const MOST_SERIES = 500;

/** Labels of what has to do with one message. */
export interface MessageLabels {
  actor: string;
  type: string;
}

/** What may become a label: whoever sends messages must not be able to make series without end. */
export interface KnownNames {
  /** Whether a message class of this type, or a handler for it, is in this process. */
  hasType(type: string): boolean;
  hasActor(name: string): boolean;
}

/** Gives messages their labels, and at most {@link MOST_SERIES} pairs of them. */
export class MetricLabels {
  private readonly pairs = new Map<string, MessageLabels>();

  constructor(private readonly names: KnownNames) {}

  /** @param isHandled a handler for the type was found here, whether a class of it is registered or not */
  of({ actor, type }: MessageLabels, isHandled = false): MessageLabels {
    const key = `${actor} ${type}`;
    const known = this.pairs.get(key);
    if (known) return known;
    const labels = {
      actor: isHandled || this.names.hasActor(actor) ? actor : OTHER,
      type: isHandled || this.names.hasType(type) ? type : OTHER,
    };
    // What is unknown now may be registered later, and there is no end of it.
    if (labels.actor === OTHER || labels.type === OTHER) return labels;
    if (this.pairs.size >= MOST_SERIES) return { actor: labels.actor, type: OTHER };
    this.pairs.set(key, labels);
    return labels;
  }
}
