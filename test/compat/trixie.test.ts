import { describeCompatibility } from "./compatibility.js";
import { trixie } from "./releases.js";

describeCompatibility(trixie);
