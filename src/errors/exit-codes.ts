/**
 * Every exit code, numbered as in repmgr 5.5: scripts branch on these numbers.
 * A check of `node check` ends with the Nagios value 0-3 instead.
 */
export const exitCodes = {
  success: 0,
  badConfiguration: 1,
  badRsync: 2,
  badPidFile: 3,
  noRestart: 4,
  localCommand: 5,
  databaseConnection: 6,
  databaseQuery: 7,
  promotionFailed: 8,
  monitoringTimeout: 9,
  stringOverflow: 10,
  failoverFailed: 11,
  badSsh: 12,
  systemFailure: 13,
  badBaseBackup: 14,
  internal: 15,
  monitoringFailed: 16,
  badBackupLabel: 17,
  switchoverFailed: 18,
  barman: 19,
  registrationSync: 20,
  outOfMemory: 21,
  switchoverIncomplete: 22,
  followFailed: 23,
  rejoinFailed: 24,
  nodeStatus: 25,
  repmgrdPause: 26,
  repmgrdService: 27,
  pgBackupApi: 28,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export type ExitCodeName = keyof typeof exitCodes;
