import { writeFileSync } from "node:fs";

/**
 * A vitest reporter that writes what became of the tests to the file named by TSREPMGR_TEST_SUMMARY:
 * { passed, failed, skipped, reasons, failures, secondAttempts }, reasons being how many tests were skipped for each
 * note or suite, the last two a line for each test.
 */
export default class SummaryReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const failures = unhandledErrors.map((error) => describe("unhandled", error));
    const summary = { passed: 0, failed: 0, skipped: 0, reasons: {}, failures, secondAttempts: [] };
    for (const module of modules) {
      if (module.state() === "failed") failures.push(...describeSuiteErrors(module));
      for (const test of module.children.allTests()) {
        const { state, note, errors } = test.result();
        if (state === "passed") {
          summary.passed++;
          if (test.diagnostic()?.flaky === true)
            summary.secondAttempts.push(
              describe(`${module.relativeModuleId} > ${test.fullName}`, errors?.[0]),
            );
        } else if (state === "failed")
          failures.push(describe(`${module.relativeModuleId} > ${test.fullName}`, errors[0]));
        else {
          summary.skipped++;
          const reason = note ?? (test.parent.type === "suite" ? test.parent.fullName : test.fullName);
          summary.reasons[reason] = (summary.reasons[reason] ?? 0) + 1;
        }
      }
    }
    summary.failed = failures.length;
    writeFileSync(process.env.TSREPMGR_TEST_SUMMARY, JSON.stringify(summary));
  }
}

/** Errors outside of any test: a file that cannot be loaded, a hook that failed. */
function describeSuiteErrors(module) {
  const suites = [module, ...module.children.allSuites()];
  return suites.flatMap((suite) =>
    suite
      .errors()
      .map((error) => describe(`${module.relativeModuleId} > ${suite.fullName ?? "file"}`, error)),
  );
}

function describe(place, error) {
  const [reason = ""] = (error?.message ?? "").split("\n");
  return `${place}: ${reason.slice(0, 300)}`;
}
