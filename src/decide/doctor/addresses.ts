import type { Conninfo } from "../../model/conninfo.js";

/** A host that only programs on the same machine reach; a Unix socket too. */
export function isLoopbackHost(host: string): boolean {
  return (
    host === "" ||
    host.startsWith("/") ||
    host.startsWith("@") ||
    /^(?:localhost|127\.[\d.]+|::1)$/i.test(host)
  );
}

/** Whether a connection string leads to the machine on which it is used. */
export function isLoopback(conninfo: Conninfo): boolean {
  const hosts = (conninfo.get("hostaddr") || conninfo.get("host") || "").split(",");
  return hosts.every(isLoopbackHost);
}

/** The bits of an IP address as one number, with their count; null for a text that is none. */
function parseAddress(text: string): { readonly bits: bigint; readonly width: 32 | 128 } | null {
  const plain = text.replace(/%.*$/, "");
  if (/^\d+(?:\.\d+){3}$/.test(plain)) {
    const bytes = plain.split(".").map(Number);
    if (bytes.some((byte) => byte > 255)) return null;
    return { bits: bytes.reduce((bits, byte) => (bits << 8n) | BigInt(byte), 0n), width: 32 };
  }
  return parseAddress6(plain);
}

function parseAddress6(text: string): { readonly bits: bigint; readonly width: 128 } | null {
  const [head, tail, ...more] = text.split("::");
  if (head === undefined || more.length > 0 || !text.includes(":")) return null;
  const words = (part: string): readonly string[] => (part === "" ? [] : part.split(":"));
  const first = words(head);
  const last = tail === undefined ? [] : words(tail);
  const missing = 8 - first.length - last.length;
  if (tail === undefined ? missing !== 0 : missing < 0) return null;
  const all = [...first, ...Array.from({ length: missing }, () => "0"), ...last];
  if (!all.every((word) => /^[0-9a-f]{1,4}$/i.test(word))) return null;
  return { bits: all.reduce((bits, word) => (bits << 16n) | BigInt(`0x${word}`), 0n), width: 128 };
}

/** Whether an address lies in the network that a rule names by address and mask. */
export function isInNetwork(address: string, network: string, netmask: string | null): boolean {
  const [wanted, of] = [parseAddress(address), parseAddress(network)];
  if (wanted === null || of === null || wanted.width !== of.width) return false;
  const mask = netmask === null ? null : parseAddress(netmask);
  const bits = mask?.bits ?? (1n << BigInt(of.width)) - 1n;
  return (wanted.bits & bits) === (of.bits & bits);
}
