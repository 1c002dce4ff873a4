// install-debian-packages.mjs NAME ...: as root, without starting a service or creating a PostgreSQL cluster.
import { installDebianPackages } from "./prepare-machine.mjs";
import { runScript } from "./run.mjs";

await runScript(async () => {
  await installDebianPackages(process.argv.slice(2));
  return 0;
});
