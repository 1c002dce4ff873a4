import { describeCompatibility } from "./compatibility.js";
import { bookworm } from "./releases.js";

describeCompatibility(bookworm);
