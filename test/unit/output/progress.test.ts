import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { createProgress } from "../../../src/output/progress.js";
import { createReporter, type Reporter } from "../../../src/output/reporter.js";
import type { LogLevel } from "../../../src/output/log-level.js";

function collectingReporter(threshold: LogLevel): {
  readonly reporter: Reporter;
  readonly messages: string[];
} {
  const messages: string[] = [];
  const reporter = createReporter({
    sink: { write: ({ message }) => messages.push(message), flush: async () => undefined },
    threshold,
    isVerbose: false,
    isTerse: false,
    now: () => 0,
    writeData: () => undefined,
    writeAside: () => undefined,
  });
  return { reporter, messages };
}

function makeStream(isTTY: boolean): { readonly stream: NodeJS.WriteStream; readonly text: () => string } {
  const output = new PassThrough();
  let text = "";
  output.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  return {
    stream: Object.assign(output, { isTTY, columns: 120 }) as unknown as NodeJS.WriteStream,
    text: () => text,
  };
}

describe("createProgress", () => {
  it("writes a line every ten seconds where there is no terminal", () => {
    const { reporter, messages } = collectingReporter("INFO");
    let seconds = 0;
    const progress = createProgress(
      "copying",
      { reporter, now: () => seconds * 1000 },
      makeStream(false).stream,
    );
    for (; seconds <= 25; seconds++) progress.update(seconds * 2048, 102_400);
    expect(messages).toEqual([
      "copying: 20 MB of 100 MB (20%), 2.0 MB/s, ETA 0:40",
      "copying: 40 MB of 100 MB (40%), 2.0 MB/s, ETA 0:30",
    ]);
  });

  it("says every ten seconds that nothing has come yet", () => {
    const { reporter, messages } = collectingReporter("INFO");
    let seconds = 0;
    const progress = createProgress(
      "copying",
      { reporter, now: () => seconds * 1000 },
      makeStream(false).stream,
    );
    for (; seconds <= 25; seconds++) progress.wait();
    expect(messages).toEqual(Array(2).fill("copying: waiting for the checkpoint of the source"));
  });

  it("draws a bar with rate and remaining time on a terminal", () => {
    const { reporter, messages } = collectingReporter("INFO");
    const { stream, text } = makeStream(true);
    let seconds = 0;
    const progress = createProgress("copying", { reporter, now: () => seconds * 1000 }, stream);
    for (; seconds <= 2; seconds++) progress.update(seconds * 25_600, 102_400);
    progress.stop();
    expect(text()).toMatch(/copying \[#+-+\] 50% \| 50 MB of 100 MB \| 25 MB\/s \| ETA 0:02/);
    expect(messages).toEqual([]);
  });

  it("does not count the time before the first data, when the source makes its checkpoint", () => {
    const { reporter, messages } = collectingReporter("INFO");
    let seconds = 0;
    const progress = createProgress(
      "copying",
      { reporter, now: () => seconds * 1000 },
      makeStream(false).stream,
    );
    progress.update(0, 0);
    for (seconds = 5; seconds <= 10; seconds++) progress.update((seconds - 5) * 2048, 102_400);
    expect(messages).toEqual(["copying: 10 MB of 100 MB (10%), 2.0 MB/s, ETA 0:45"]);
  });

  it("says nothing with -q", () => {
    const { reporter, messages } = collectingReporter("ERROR");
    const { stream, text } = makeStream(true);
    let seconds = 0;
    const progress = createProgress("copying", { reporter, now: () => seconds * 1000 }, stream);
    for (; seconds <= 25; seconds++) progress.update(seconds, 100);
    progress.stop();
    expect([messages, text()]).toEqual([[], ""]);
  });
});
