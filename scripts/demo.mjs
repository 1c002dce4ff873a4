// npm run demo [-- --keep]: a three-node cluster on this machine, made and shown step by step.
import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { chooseOrdinaryUser, environmentFor, giveTo, isRoot, makeFolder, nodeFor } from "./ordinary-user.mjs";
import { checkout, prepareMachine } from "./prepare-machine.mjs";
import { Failure, run, runScript } from "./run.mjs";

await runScript(async () => {
  const unknown = process.argv.slice(2).filter((argument) => argument !== "--keep");
  if (unknown.length > 0)
    throw new Failure(`unknown argument ${unknown[0]}; usage: npm run demo [-- --keep]`);
  const isKept = process.argv.includes("--keep");
  const binDirectory = await prepareMachine({ needsPostgres: true, needsSshd: true });
  const user = chooseOrdinaryUser();
  if (isRoot) console.log(`PostgreSQL refuses to run as root: the servers run as the user ${user.name}`);
  const folder = makeFolder(user, "demo");
  const program = join(folder.path, "program");
  for (const name of ["bin", "dist", "package.json", "scripts"]) {
    cpSync(join(checkout, name), join(program, name), { recursive: true });
  }
  mkdirSync(join(folder.path, "bin"));
  for (const name of ["tsrepmgr", "tsrepmgrd"]) {
    symlinkSync(`../program/bin/${name}.js`, join(folder.path, "bin", name));
  }
  giveTo(user, folder.path);
  const node = nodeFor(user, folder.path);
  const env = environmentFor(user, folder.path, dirname(node));
  const args = [
    join(program, "scripts/demo-acts.mjs"),
    folder.path,
    binDirectory,
    ...(isKept ? ["--keep"] : []),
  ];
  const exitCode = await run(node, args, { ...user.credentials, env, cwd: folder.path });
  folder.isKept = isKept && exitCode === 0;
  return exitCode;
});
