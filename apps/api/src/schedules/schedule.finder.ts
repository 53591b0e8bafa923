import { CallsheetError, OptionError, type MessageInstance } from '@callsheet/messaging';
import {
  checkedScheduleId,
  ScheduleChangedError,
  Schedules,
  type ScheduleChange,
  type ScheduleRecord,
} from '@callsheet/scheduler';
import { Injectable } from '@nestjs/common';
import type { ChangeCondition } from '../change.condition.js';
import { ProblemError } from '../problem.js';
import { ElementError } from '../problem.translation.js';
import { SendableMessages } from '../messages/sendable.messages.js';
import type { ScheduledMessage } from './schedule.body.js';
import { masked, unmasked } from '../messages/secrets.js';
import { toScheduleView, type ScheduleView } from './schedule.view.js';

/** Finds schedules by the id in a URL, and shows what may be shown of them. */
@Injectable()
export class ScheduleFinder {
  constructor(
    private readonly schedules: Schedules,
    private readonly sendable: SendableMessages,
  ) {}

  /** @throws ProblemError not_found */
  async get(id: string): Promise<ScheduleRecord> {
    return required(id, isPossible(id) ? await this.schedules.get(id) : undefined);
  }

  /** @throws ProblemError not_found */
  async view(id: string): Promise<ScheduleView> {
    return this.toView(await this.get(id));
  }

  /** What answers undefined or false when there is no such schedule. @throws ProblemError not_found */
  async having<T>(id: string, ask: () => Promise<T | undefined | false>): Promise<T> {
    return required(id, isPossible(id) ? await ask() : undefined);
  }

  /**
   * A condition as a change of a schedule takes it.
   *
   * @throws ScheduleChangedError
   */
  async change(id: string, condition: ChangeCondition | undefined): Promise<ScheduleChange> {
    if (condition === undefined) return {};
    if (condition === 'none') return { ifRevision: 0 };
    if (condition !== 'some') return { ifRevision: condition };
    const record = await this.schedules.get(id);
    if (!record) throw new ScheduleChangedError(id, undefined);
    return { ifRevision: record.revision };
  }

  toView(record: ScheduleRecord): ScheduleView {
    const { message, owner } = record;
    const known = this.sendable.find(message.type);
    const data = known ? masked(known.meta, message.data) : owner && message.data;
    return toScheduleView(record, data || undefined);
  }

  /**
   * The message that a body names.
   *
   * @param stored the schedule that takes it, if there is one: what is masked in the body is as it is there
   * @throws ElementError
   */
  message(
    { type, data, version }: ScheduledMessage,
    stored: ScheduleRecord | undefined,
  ): MessageInstance {
    try {
      const meta = this.sendable.find(type)?.meta;
      if (!meta) return this.sendable.create(type, data, version);
      const isSame =
        stored?.message.type === type && stored.message.version === (version ?? meta.version);
      const whole = unmasked(meta, data, isSame ? stored.message.data : undefined);
      return this.sendable.create(type, whole, version);
    } catch (error) {
      throw error instanceof CallsheetError ? new ElementError('message/', error) : error;
    }
  }
}

/** @throws ProblemError not_found */
function required<T>(id: string, found: T | undefined | false): T {
  if (found !== undefined && found !== false) return found;
  throw new ProblemError('not_found', `there is no schedule '${id}'; see /v1/schedules`);
}

function isPossible(id: string): boolean {
  try {
    return checkedScheduleId(id) === id;
  } catch (error) {
    if (error instanceof OptionError) return false;
    throw error;
  }
}
