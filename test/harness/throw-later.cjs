"use strict";
// Preloaded with NODE_OPTIONS: a mistake that nobody catches, in the middle of what a program does.
setTimeout(() => {
  throw new Error("thrown where nobody catches it");
}, Number(process.env.THROW_AFTER_MS));
