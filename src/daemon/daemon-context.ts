import type { LoadedConfiguration } from "../config/load-configuration.js";
import type { Settings } from "../config/settings-table.js";
import type { Context } from "../context.js";
import type { DaemonSignals } from "../system/signals.js";

/** What the daemon's process gives to what runs in it. */
export interface DaemonContext extends Omit<Context, "remoteHosts"> {
  /** Those in force; a reload replaces them as a whole. */
  settings(): Settings;
  readonly configFile: string | null;
  readonly pidFile: string | null;
  readonly signals: DaemonSignals;
  /** Reads repmgr.conf again. Throws UserError when there is no text to read. */
  readonly loadConfiguration: () => LoadedConfiguration;
  /** Puts new settings in force: level, format and destination of the log too. Throws UserError; all stays then. */
  readonly useSettings: (settings: Settings) => Promise<void>;
  /** Tells who started us in the background that all that could end us at once is over. */
  readonly reportReady: () => void;
}
