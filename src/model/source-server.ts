/** What decides whether a server can feed a standby. */
export interface SourceServerFacts {
  readonly systemIdentifier: string;
  /** Tells two servers apart, and recognises one under two addresses. */
  readonly identity: string;
  readonly inRecovery: boolean;
  readonly settings: ReadonlyMap<string, string>;
  readonly role: { readonly isSuperuser: boolean; readonly mayReplicate: boolean };
  readonly usedWalSenders: number;
  readonly usedSlots: number;
  readonly tablespaceLocations: readonly string[];
}
