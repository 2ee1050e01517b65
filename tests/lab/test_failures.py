def test_smoke(project, image):
    p = project("alpha")
    r = p.deploy(image("v1"))
    print(r.text)
    print(p.serving(), p.live(), p.hosts[0].containers(p.key), p.hosts[0].snapshot().keys())
    assert r.code == 0
