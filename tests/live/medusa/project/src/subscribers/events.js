// Notes every event of the store: what its people, and their programs, would hear.
const { appendFile } = require("node:fs/promises");

module.exports = {
  default: async ({ event }) => appendFile("events.log", `${event.name}\n`),
  config: { event: "*" },
};
