import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Engine } from "./containers-engine.js";

export interface NodeImage {
  readonly name: string;
  readonly postgresMajor: string;
}

export interface ImageRecipe {
  readonly dockerfile: string;
  /** The image's name without its tag. */
  readonly repository: string;
  /** Debian's code name. */
  readonly suite: string;
  readonly postgresMajor: string;
}

const checkout = resolve(import.meta.dirname, "../..");
const nodeRecipe: ImageRecipe = {
  dockerfile: "docker/Dockerfile",
  repository: "tsrepmgr-tests",
  suite: "bookworm",
  postgresMajor: "15",
};
const imageLabel = "tsrepmgr.tests.image";

/**
 * Builds a Dockerfile with the built program; throws with the end of the build's output. Debian 12 is what
 * start-engine.sh makes; its Node.js is too old, so the one that runs the tests goes along.
 */
export async function buildNodeImage(
  engine: Engine,
  { dockerfile, repository, suite, postgresMajor }: ImageRecipe = nodeRecipe,
): Promise<NodeImage> {
  const context = await mkdtemp(join(tmpdir(), "tsrepmgr-image-"));
  try {
    const src = ["bin", "dist", "package.json", "docker/entrypoint.sh", dockerfile];
    for (const path of src) {
      await cp(join(checkout, path), join(context, path), { recursive: true });
    }
    await cp(process.execPath, join(context, "bin/node"));
    const name = `${repository}:${suite}-${postgresMajor}`;
    const output = await engine.buildImage(
      { context, src },
      {
        t: name,
        dockerfile,
        buildargs: { BASE_IMAGE: `debian:${suite}-slim`, PG_VERSION: postgresMajor, NODE_PACKAGE: "" },
        labels: { [imageLabel]: "" },
      },
    );
    await followBuild(engine, output);
    await engine.pruneImages({ filters: { dangling: ["true"], label: [imageLabel] } });
    return { name, postgresMajor };
  } finally {
    await rm(context, { recursive: true });
  }
}

function followBuild(engine: Engine, output: NodeJS.ReadableStream): Promise<void> {
  const lines: string[] = [];
  return new Promise((fulfil, reject) => {
    engine.modem.followProgress(
      output,
      (error: Error | null) => {
        if (error === null) fulfil();
        else reject(new Error(`the image cannot be built: ${error.message}\n${lines.slice(-20).join("")}`));
      },
      ({ stream }: { stream?: string }) => lines.push(stream ?? ""),
    );
  });
}
