import { writeFileSync } from "node:fs";

/**
 * A vitest reporter that writes what became of the tests to the file named by TSREPMGR_TEST_SUMMARY:
 * { passed, failed, skipped, reasons }, reasons being how many tests were skipped for each note or suite.
 */
export default class SummaryReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const summary = { passed: 0, failed: unhandledErrors.length, skipped: 0, reasons: {} };
    for (const module of modules) {
      const failures = module.state() === "failed" ? countSuiteErrors(module) : 0;
      summary.failed += failures;
      for (const test of module.children.allTests()) {
        const { state, note } = test.result();
        if (state === "passed" || state === "failed") summary[state]++;
        else {
          summary.skipped++;
          const reason = note ?? (test.parent.type === "suite" ? test.parent.fullName : test.fullName);
          summary.reasons[reason] = (summary.reasons[reason] ?? 0) + 1;
        }
      }
    }
    writeFileSync(process.env.TSREPMGR_TEST_SUMMARY, JSON.stringify(summary));
  }
}

/** Errors outside of any test: a file that cannot be loaded, a hook that failed. */
function countSuiteErrors(module) {
  const suites = [module, ...module.children.allSuites()];
  return suites.reduce((count, suite) => count + suite.errors().length, 0);
}
