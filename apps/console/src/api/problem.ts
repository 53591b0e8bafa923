/** What the API answers instead of what was asked for (RFC 9457). */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';

  constructor(
    /** 0: no answer came. */
    readonly status: number,
    /** Stable, such as `not_found`. */
    readonly code: string,
    message: string,
    /** Which fields of the body are wrong, and why. */
    readonly fields: readonly { path: string; message: string }[] = [],
  ) {
    super(message);
  }
}

/** The problem in an answer; one of its own making when something in between has answered. */
export async function problemOf(response: Response): Promise<ApiProblem> {
  const body: unknown = await response.json().catch(() => undefined);
  const { code, detail, title, errors } = (body ?? {}) as Record<string, unknown>;
  return new ApiProblem(
    response.status,
    typeof code === 'string' ? code : 'unknown',
    [detail, title].find((text) => typeof text === 'string') ?? `answered ${response.status}`,
    Array.isArray(errors) ? (errors as { path: string; message: string }[]) : [],
  );
}

/** Whether what was asked for is not there, or no longer. */
export function isMissing(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 404;
}

/** What a person is told of any failure. */
export function textOf(error: unknown): string {
  if (!(error instanceof ApiProblem)) return error instanceof Error ? error.message : String(error);
  const fields = error.fields
    // Of a single one the problem itself may say it.
    .filter(({ path, message }) => error.message !== `${path} ${message}`)
    .map(({ path, message }) => `${path || 'the whole'}: ${message}`);
  return [error.message, ...fields].join('\n');
}
