import { describe, expect, it } from "vitest";
import { parseSshSettings } from "../../../src/remote/ssh-settings.js";

const surroundings = {
  variables: { SSH_AUTH_SOCK: "/run/agent", OTHER_SOCK: "/run/other" },
  homeDirectory: "/home/joe",
  osUser: "joe",
};

/** As OpenSSH 9.2 prints it, shortened to what is read. */
const PLAIN = `host node2
user postgres
hostname 192.0.2.7
port 2222
addressfamily any
batchmode no
forwardagent no
identitiesonly no
nohostauthenticationforlocalhost no
pubkeyauthentication true
gssapiauthentication no
stricthostkeychecking ask
verifyhostkeydns false
serveralivecountmax 3
serveraliveinterval 0
ciphers chacha20-poly1305@openssh.com,aes128-ctr
hostkeyalgorithms ssh-ed25519,rsa-sha2-512
kexalgorithms curve25519-sha256
macs hmac-sha2-256
identityfile ~/.ssh/id_rsa
identityfile %d/keys/%r@%h-%p-%n-100%%
globalknownhostsfile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2
userknownhostsfile /home/joe/.ssh/known_hosts
connecttimeout 7
`;

const parse = (extra = "") => parseSshSettings(`${extra}${PLAIN}`, { host: "node2" }, surroundings);

describe("parseSshSettings", () => {
  it("reads what ssh -G prints", () => {
    expect(parse()).toEqual({
      hostName: "192.0.2.7",
      port: 2222,
      user: "postgres",
      hostKeyAlias: null,
      identityFiles: ["/home/joe/.ssh/id_rsa", "/home/joe/keys/postgres@192.0.2.7-2222-node2-100%"],
      identitiesOnly: false,
      agent: "/run/agent",
      forwardAgent: false,
      knownHostsFiles: [
        "/home/joe/.ssh/known_hosts",
        "/etc/ssh/ssh_known_hosts",
        "/etc/ssh/ssh_known_hosts2",
      ],
      strictness: "refuse-unknown",
      connectTimeoutMs: 7000,
      keepaliveIntervalMs: 0,
      keepaliveCountMax: 3,
      addressFamily: "any",
      bindAddress: null,
      algorithms: {
        kex: ["curve25519-sha256"],
        hostKey: ["ssh-ed25519", "rsa-sha2-512"],
        cipher: ["chacha20-poly1305@openssh.com", "aes128-ctr"],
        mac: ["hmac-sha2-256"],
      },
      otherAuthentication: false,
      beyondUs: [],
    });
  });

  it.each([
    ["identityagent none", { agent: null }],
    ["identityagent SSH_AUTH_SOCK", { agent: "/run/agent" }],
    ["identityagent $OTHER_SOCK", { agent: "/run/other" }],
    ["identityagent ${OTHER_SOCK}", { agent: "/run/other" }],
    ["identityagent ~/agent", { agent: "/home/joe/agent" }],
    ["stricthostkeychecking true", { strictness: "refuse-unknown" }],
    ["stricthostkeychecking false", { strictness: "accept-any" }],
    ["stricthostkeychecking accept-new", { strictness: "accept-new" }],
    ["connecttimeout none", { connectTimeoutMs: null }],
    ["hostkeyalias cluster", { hostKeyAlias: "cluster" }],
    ["addressfamily inet6", { addressFamily: "inet6" }],
    ["gssapiauthentication yes", { otherAuthentication: true }],
    ["hostbasedauthentication yes", { otherAuthentication: true }],
    ["forwardagent yes", { forwardAgent: true }],
  ])("understands %s", (line, expected) => {
    expect(parse(`${line}\n`)).toMatchObject(expected);
  });

  it.each([
    ["proxyjump jump", "ProxyJump"],
    ["proxycommand ssh -W %h:%p jump", "ProxyCommand"],
    ["certificatefile /x-cert.pub", "CertificateFile"],
    ["pkcs11provider /x.so", "PKCS11Provider"],
    ["knownhostscommand /bin/x %H", "KnownHostsCommand"],
    ["setenv A=b", "SetEnv"],
    ["verifyhostkeydns true", "VerifyHostKeyDNS"],
    ["nohostauthenticationforlocalhost yes", "NoHostAuthenticationForLocalhost"],
    ["pubkeyauthentication false", "PubkeyAuthentication"],
    ["forwardagent $OTHER_SOCK", "ForwardAgent"],
    ["userknownhostsfile /home/joe/my hosts", "UserKnownHostsFile"],
    ["identityfile ~/.ssh/%C", "IdentityFile"],
  ])("leaves %s to OpenSSH", (line, name) => {
    expect(parse(`${line}\n`).beyondUs).toEqual([name]);
  });

  it.each(["proxycommand none", "proxyjump none", "pkcs11provider none", "forwardagent no"])(
    "takes %s for not set",
    (line) => {
      expect(parse(`${line}\n`).beyondUs).toEqual([]);
    },
  );
});
