const { defineConfig } = require("@medusajs/framework/utils");

const { DATABASE_URL, SECRET } = process.env;

module.exports = defineConfig({
  admin: { disable: true },
  projectConfig: {
    databaseUrl: DATABASE_URL,
    http: { storeCors: "", adminCors: "", authCors: "", jwtSecret: SECRET, cookieSecret: SECRET },
  },
});
