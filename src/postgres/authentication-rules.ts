import type { EventEmitter } from "node:events";
import type { Conninfo } from "../model/conninfo.js";
import { AttemptFailure } from "./attempt-failure.js";
import { refuseParameter } from "./connection-error.js";

/** What the server wanted for a proof of identity, by libpq's names of `require_auth`. */
type AuthenticationMethod = "password" | "md5" | "scram-sha-256" | "gss" | "sspi" | "none";

const methodOfMessage: Readonly<Record<string, AuthenticationMethod>> = {
  authenticationCleartextPassword: "password",
  authenticationMD5Password: "md5",
  authenticationSASL: "scram-sha-256",
};

/** The messages in which a server asks for a password, by pg's names. */
export const passwordRequests: readonly string[] = Object.keys(methodOfMessage);

/** Watches one authentication: what was asked for, and whether `require_auth` and `channel_binding` allow it. */
export interface AuthenticationRules {
  /** The server sent an authentication request, be it only that none is needed. */
  seen(): boolean;
  /** Throws AttemptFailure when the method is not allowed; call it before a password leaves, and at the end. */
  check(): void;
}

export function watchAuthentication(
  connection: EventEmitter,
  conninfo: Conninfo,
  encrypted: boolean,
): AuthenticationRules {
  let method: AuthenticationMethod = "none";
  let seen = false;
  let bindsChannel = false;
  for (const [message, itsMethod] of Object.entries(methodOfMessage)) {
    connection.on(message, (request: { readonly mechanisms?: readonly string[] }) => {
      seen = true;
      method = itsMethod;
      bindsChannel = encrypted && request.mechanisms?.includes("SCRAM-SHA-256-PLUS") === true;
    });
  }
  connection.on("authenticationOk", () => {
    seen = true;
  });
  const allowed = readAllowedMethods(conninfo);
  return {
    seen: () => seen,
    check: () => {
      if (!allowed(method)) {
        throw new AttemptFailure(
          "rejected",
          method === "none"
            ? `authentication method requirement "${conninfo.get("require_auth") ?? ""}" failed: server did not complete authentication`
            : `authentication method requirement "${conninfo.get("require_auth") ?? ""}" failed: server requested ${method} authentication`,
        );
      }
      if (conninfo.get("channel_binding") === "require" && !bindsChannel) {
        throw new AttemptFailure(
          "rejected",
          encrypted
            ? "channel binding is required, but server did not offer an authentication method that supports channel binding"
            : "channel binding required, but SSL not in use",
        );
      }
    },
  };
}

function readAllowedMethods(conninfo: Conninfo): (method: AuthenticationMethod) => boolean {
  const text = conninfo.get("require_auth") ?? "";
  if (text === "") return () => true;
  const names = text.split(",").map((name) => name.trim());
  const negated = names.filter((name) => name.startsWith("!"));
  if (negated.length > 0 && negated.length < names.length) {
    throw refuseParameter(`negative and positive require_auth methods cannot be mixed: "${text}"`);
  }
  const known: readonly string[] = ["password", "md5", "scram-sha-256", "gss", "sspi", "none"];
  for (const name of names) {
    if (!known.includes(name.replace(/^!/, "")))
      throw refuseParameter(`invalid require_auth value: "${name}"`);
  }
  return (method) => (negated.length > 0 ? !names.includes(`!${method}`) : names.includes(method));
}
