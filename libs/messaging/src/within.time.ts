/** Resolves when `work` does, or after `ms`, whichever is first. Never rejects. */
export async function withinTime(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work.catch(() => undefined), expired]);
  clearTimeout(timer);
}
