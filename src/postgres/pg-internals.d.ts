declare module "pg/lib/client.js" {
  import { Client } from "pg";
  export default Client;
}

declare module "pg/lib/connection.js" {
  import type { EventEmitter } from "node:events";
  import type { Duplex } from "node:stream";
  export default class Connection extends EventEmitter {
    constructor(options: { readonly stream: Duplex; readonly ssl: false });
    connect(port: number, host: string): void;
    startup(parameters: Readonly<Record<string, string>>): void;
    end(): void;
  }
}
