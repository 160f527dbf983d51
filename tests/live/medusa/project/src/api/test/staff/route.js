// Hires the first member of staff, as `medusa user` does, without starting all of Medusa again.
module.exports = {
  POST: async (req, res) => {
    const { email, password } = req.body;
    const auth = req.scope.resolve("auth");
    const user = await req.scope.resolve("user").createUsers({ email });
    const { authIdentity } = await auth.register("emailpass", { body: { email, password } });
    await auth.updateAuthIdentities({ id: authIdentity.id, app_metadata: { user_id: user.id } });
    res.json({});
  },
};
