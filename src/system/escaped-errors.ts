/**
 * Hears of the errors that nobody catches, because they were thrown in an event or a timer: without a listener they end
 * the process. Returns what takes that back.
 */
export function onEscapedError(listener: (error: unknown) => void): () => void {
  process.on("uncaughtException", listener);
  return () => process.removeListener("uncaughtException", listener);
}
