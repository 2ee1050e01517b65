module.exports = [{ files: ["**/*.js"], rules: { "no-debugger": "error" } }];
