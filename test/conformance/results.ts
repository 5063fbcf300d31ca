/** What xfstests-run wrote of one kind of file system: a line for each test. */
export interface TestResult {
  readonly status: 'pass' | 'fail' | 'hang' | 'notrun';
  /** Why it was not run, in the suite's words. */
  readonly reason: string;
}

const LINE = /^(\S+) (pass|fail|hang|notrun) ?(.*)$/;

export function parseResults(text: string): ReadonlyMap<string, TestResult> {
  const results = new Map<string, TestResult>();
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, test, status, reason] = LINE.exec(line) ?? [];
    if (test === undefined) throw new Error(`not a result: ${line}`);
    results.set(test, { status: status as TestResult['status'], reason: (reason ?? '').trim() });
  }
  return results;
}
