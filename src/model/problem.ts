/** Something that is wrong, in the three parts in which it is shown: what, which facts, what to do next. */
export interface Problem {
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
}
