import fc from "fast-check";
import { parse } from "ini";
import { describe, expect, it } from "vitest";
import { redirectEntries } from "../../../src/decide/pgbouncer-file.js";

const target = { host: "node2", port: 5433 };
const redirect = (text: string, ...databases: string[]) => redirectEntries(text, { databases, target });

describe("redirectEntries", () => {
  it("replaces host and port in the lines of its databases, and nothing else", () => {
    const before = [
      "; poolers of the shop",
      "[databases]",
      "# the shop itself",
      "  shop = host=node1 port=5432 dbname=shop password='a; b # ''c''' pool_size=20  ",
      "stock=host = node1 user=stock\r",
      "other = host=node1 connect_query='select 1; select 2'",
      "",
      "[pgbouncer]",
      "listen_port = 6432",
      ";shop = host=node1",
      "shop = host=node1",
      "%include /etc/pgbouncer/more.ini",
      "",
    ].join("\n");
    const after = before
      .replace("host=node1 port=5432 dbname", "host=node2 port=5433 dbname")
      .replace("host = node1 user=stock", "host = node2 user=stock port=5433");
    expect(redirect(before, "shop", "stock")).toEqual({
      kind: "changed",
      text: after,
      changes: [
        { database: "shop", from: "node1:5432" },
        { database: "stock", from: "node1:5432" },
      ],
    });
    expect(redirect(after, "shop", "stock")).toEqual({ kind: "unchanged" });
  });

  it.each([
    [
      "an entry that is missing",
      "[databases]\na = host=x\n\n[pgbouncer]\n",
      "[databases]\na = host=x\nshop = host=node2 port=5433\n\n[pgbouncer]\n",
    ],
    ["an empty file", "", "[databases]\nshop = host=node2 port=5433\n"],
    [
      "a file that is included below the section",
      "shop = dbname=a\n",
      "shop = dbname=a host=node2 port=5433\n",
    ],
    ["an entry on a local socket", "[databases]\nshop =\n", "[databases]\nshop =host=node2 port=5433\n"],
    [
      "a quoted host",
      "[databases]\nshop = host='node 1' port='6'\n",
      "[databases]\nshop = host=node2 port=5433\n",
    ],
    [
      "an entry that stands twice",
      "[databases]\nshop=host=a\n[x]\n[databases]\nshop=host=b\n",
      "[databases]\nshop=host=node2 port=5433\n[x]\n[databases]\nshop=host=node2 port=5433\n",
    ],
  ])("writes %s", (_, before, after) => {
    const databases = before.includes("a = ") ? ["a", "shop"].slice(1) : ["shop"];
    expect(redirect(before, ...databases)).toMatchObject({ kind: "changed", text: after });
  });

  it("writes a socket directory or a name with blanks in pgbouncer's quotes", () => {
    const odd = redirectEntries("[databases]\n", {
      databases: ["shop"],
      target: { host: "/run/a b'c", port: 5432 },
    });
    expect(odd).toMatchObject({ text: "[databases]\nshop = host='/run/a b''c' port=5432\n" });
  });

  it.each([
    ["[pgbouncer]\nlisten_port=1\n", "it has no section [databases]"],
    ["[databases]\nshop = host=node1 port\n", "line 2 is no connection string of pgbouncer"],
    ["[databases] shop = host=node1\n", "something follows the section in line 1"],
  ])("leaves %j alone", (text, reason) => {
    expect(redirect(text, "shop")).toEqual({ kind: "refused", reason });
  });

  it("keeps every other entry as ini reads it, whatever the file holds", () => {
    const word = fc.stringMatching(/^[\w.;#' =-]{0,12}$/);
    const line = fc.oneof(
      fc
        .tuple(fc.constantFrom("shop", "other", "third"), word)
        .map(([name, value]) => `${name} = host=${value}`),
      word.map((text) => `; ${text}`),
      fc.constantFrom("[databases]", "[pgbouncer]", "", "listen_port=6432"),
    );
    const others = (text: string): unknown => {
      const { databases, ...rest } = parse(text) as Record<string, Record<string, unknown>>;
      return [rest, Object.entries(databases ?? {}).filter(([name]) => name !== "shop")];
    };
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const before = ["[databases]", ...lines].join("\n");
        const outcome = redirect(before, "shop");
        if (outcome.kind !== "changed") return;
        expect(others(outcome.text)).toEqual(others(before));
        expect(redirect(outcome.text, "shop")).toEqual({ kind: "unchanged" });
      }),
    );
  });
});
