// Keys and signatures made once by the `openssl` command and Python's `cryptography`; no code of this package made them,
// and nothing but tests uses them.

import Sealing

enum RSAFixtures {
    /// What the signatures below are over.
    static let message = Array("POST&https%3A%2F%2Fhub.local%2Ftoken&oauth_nonce%3D1".utf8)

    /// 2048 bits, PKCS#8.
    static let pkcs8 = """
        -----BEGIN PRIVATE KEY-----
        MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQDIYMorM7DgWa2g
        +dNKylIG/1hi35sw3p4HsSFLjbKIhjsys+xEkCDS/ZmX6V8pnNrVyc0S3mUvGqua
        BJoT9ucVIH8aMSfi3wXzupWba3AvgdvsQWWKQ5TKgBm9ejSA6z9wc89J5C2/ipy7
        dJM74bRDUbjlnExXIdNbT6kApF4R/2T3f0TSWJxuVHthLd+qI8vjOtgEyeRHXW9i
        hpJRy4IEtdup2v1hyCsQSSZdhKdiSMl8ivnTLoeJjE9BO39J6tEz4ONyZNPgULZj
        xe8ZxUe4yLf86L4g87ZLQnZCIEfED1RqbUFevo+hrG0EY3tBEsUWPM2/fc1riSQB
        /QhG8ecBAgMBAAECggEABKeV7qq62j1PDpkbDsbUILg8AwD3e4tCT8KuN7F1Ex2O
        ILuD+qQ/9PLB54Da7m4nubVgO4bZwh48G/3tH9dZjxi0ByVa7Dbazip4iPWWE65w
        L8TloVB4U3tmDawZ7eA5FylDiI+Bvgwv351hwa94puMuOLw4nEILhTicoAiRbFjQ
        QaHYaeyzUb38GM23RmI5HpdL+FVlpv3yyuwW/vfVrBOBzBQza5hn8z+n/AvaHtcK
        umyW1TYV6jPmSJjCDQtYBUMw4xAn4MI9hobI36FOaXKikb/5Plkq+ifBz9ZL4I9T
        XILPnWBN0cxLiVTmLw+2xxOwa3avkWSHkh85XN6joQKBgQDx7WsmyASbpUihQNJo
        0mnM6kwvdYfjSdLsU8ps7bmH83RDdG4KlPbQkkYbPfn79D11mT2qrfJFoZ1z2lNR
        FyTpoiJJfzSy9DfE8jUoRsY/P7pM0MqrMFkEqp/xZed+xmGZ0TjHJ17H6E0+XObr
        d+vq8/eTVkeS4Ear9alhBmllkQKBgQDUCKc0wmZ1n3soay1ayRjbldaJ2Up0yToV
        m7ahsTMEcfWLlRZDUbEqHuaFvVf74eDFrHiWdQTpguauwa82iM3BS6EFvR4wB2Ha
        4vUJbeG+1wHDCIt2Sc5eaznotZx87GiGI7epapIsec9Jn1IZXe0NwGhqdSIg4vrW
        8rIz8VnycQKBgQCNl+xPzV9NDWa94ieD7Cq6ISMn370BnRKS+NOP/27IEAgq9rj0
        /oyaNBJOHW7zNNbHvkGmZJpYgKebx9tdqZMUHq28oHPijSca4LuV8B5VpGHQVZ9Y
        pDpljcuAyKi9vTQgh6CYhwVlMSQMbOlGRXDRmap8FFJdt2AFgwl4XP1Q0QKBgQDG
        KSQjkb9yFE9kse3cV+7sYbf0cug8B0hKo5FmwhXdBKgoAHijB7kclW559UBCPpL0
        C0FT1B94IQd4sbkPrYEmMolVtK5+0pdomw3I9zGwSn7yCI1WSpoc8fdX/ks3ETaK
        jtz574iXGmxY8RYocPi4DmdHfxsbQyaNNprHIrwecQKBgC2cz3vxsqRCRRFUorAA
        eRMmmohtJlhrL1WcYQn34sSIC9S9BOumH947y0++PlHZHbwCFZ4eze981zp+uhwt
        1CWjjZYkSilKSwpgPh8uKzqHBZFbndPrgUc/SWeiBUcQY6M55Qtp+zQO0Zrf6zE9
        ZVGFnn3D/EWHmAPizgmfwo4u
        -----END PRIVATE KEY-----
        """

    /// The same key, PKCS#1.
    static let pkcs1 = """
        -----BEGIN RSA PRIVATE KEY-----
        MIIEpAIBAAKCAQEAyGDKKzOw4FmtoPnTSspSBv9YYt+bMN6eB7EhS42yiIY7MrPs
        RJAg0v2Zl+lfKZza1cnNEt5lLxqrmgSaE/bnFSB/GjEn4t8F87qVm2twL4Hb7EFl
        ikOUyoAZvXo0gOs/cHPPSeQtv4qcu3STO+G0Q1G45ZxMVyHTW0+pAKReEf9k939E
        0licblR7YS3fqiPL4zrYBMnkR11vYoaSUcuCBLXbqdr9YcgrEEkmXYSnYkjJfIr5
        0y6HiYxPQTt/SerRM+DjcmTT4FC2Y8XvGcVHuMi3/Oi+IPO2S0J2QiBHxA9Uam1B
        Xr6PoaxtBGN7QRLFFjzNv33Na4kkAf0IRvHnAQIDAQABAoIBAASnle6quto9Tw6Z
        Gw7G1CC4PAMA93uLQk/CrjexdRMdjiC7g/qkP/TyweeA2u5uJ7m1YDuG2cIePBv9
        7R/XWY8YtAclWuw22s4qeIj1lhOucC/E5aFQeFN7Zg2sGe3gORcpQ4iPgb4ML9+d
        YcGveKbjLji8OJxCC4U4nKAIkWxY0EGh2Gnss1G9/BjNt0ZiOR6XS/hVZab98srs
        Fv731awTgcwUM2uYZ/M/p/wL2h7XCrpsltU2Feoz5kiYwg0LWAVDMOMQJ+DCPYaG
        yN+hTmlyopG/+T5ZKvonwc/WS+CPU1yCz51gTdHMS4lU5i8PtscTsGt2r5Fkh5If
        OVzeo6ECgYEA8e1rJsgEm6VIoUDSaNJpzOpML3WH40nS7FPKbO25h/N0Q3RuCpT2
        0JJGGz35+/Q9dZk9qq3yRaGdc9pTURck6aIiSX80svQ3xPI1KEbGPz+6TNDKqzBZ
        BKqf8WXnfsZhmdE4xydex+hNPlzm63fr6vP3k1ZHkuBGq/WpYQZpZZECgYEA1Ain
        NMJmdZ97KGstWskY25XWidlKdMk6FZu2obEzBHH1i5UWQ1GxKh7mhb1X++Hgxax4
        lnUE6YLmrsGvNojNwUuhBb0eMAdh2uL1CW3hvtcBwwiLdknOXms56LWcfOxohiO3
        qWqSLHnPSZ9SGV3tDcBoanUiIOL61vKyM/FZ8nECgYEAjZfsT81fTQ1mveIng+wq
        uiEjJ9+9AZ0SkvjTj/9uyBAIKva49P6MmjQSTh1u8zTWx75BpmSaWICnm8fbXamT
        FB6tvKBz4o0nGuC7lfAeVaRh0FWfWKQ6ZY3LgMiovb00IIegmIcFZTEkDGzpRkVw
        0ZmqfBRSXbdgBYMJeFz9UNECgYEAxikkI5G/chRPZLHt3Ffu7GG39HLoPAdISqOR
        ZsIV3QSoKAB4owe5HJVuefVAQj6S9AtBU9QfeCEHeLG5D62BJjKJVbSuftKXaJsN
        yPcxsEp+8giNVkqaHPH3V/5LNxE2io7c+e+IlxpsWPEWKHD4uA5nR38bG0MmjTaa
        xyK8HnECgYAtnM978bKkQkURVKKwAHkTJpqIbSZYay9VnGEJ9+LEiAvUvQTrph/e
        O8tPvj5R2R28AhWeHs3vfNc6frocLdQlo42WJEopSksKYD4fLis6hwWRW53T64FH
        P0lnogVHEGOjOeULafs0DtGa3+sxPWVRhZ59w/xFh5gD4s4Jn8KOLg==
        -----END RSA PRIVATE KEY-----
        """

    /// Its public half.
    static let publicKey = """
        -----BEGIN PUBLIC KEY-----
        MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAyGDKKzOw4FmtoPnTSspS
        Bv9YYt+bMN6eB7EhS42yiIY7MrPsRJAg0v2Zl+lfKZza1cnNEt5lLxqrmgSaE/bn
        FSB/GjEn4t8F87qVm2twL4Hb7EFlikOUyoAZvXo0gOs/cHPPSeQtv4qcu3STO+G0
        Q1G45ZxMVyHTW0+pAKReEf9k939E0licblR7YS3fqiPL4zrYBMnkR11vYoaSUcuC
        BLXbqdr9YcgrEEkmXYSnYkjJfIr50y6HiYxPQTt/SerRM+DjcmTT4FC2Y8XvGcVH
        uMi3/Oi+IPO2S0J2QiBHxA9Uam1BXr6PoaxtBGN7QRLFFjzNv33Na4kkAf0IRvHn
        AQIDAQAB
        -----END PUBLIC KEY-----
        """

    /// Its modulus.
    static let modulus = bytes(
        """
        c860ca2b33b0e059ada0f9d34aca5206ff5862df9b30de9e07b1214b8db288863b32b3ec449020d2fd9997e95f299cda
        d5c9cd12de652f1aab9a049a13f6e715207f1a3127e2df05f3ba959b6b702f81dbec41658a4394ca8019bd7a3480eb3f
        7073cf49e42dbf8a9cbb74933be1b44351b8e59c4c5721d35b4fa900a45e11ff64f77f44d2589c6e547b612ddfaa23cb
        e33ad804c9e4475d6f62869251cb8204b5dba9dafd61c82b1049265d84a76248c97c8af9d32e87898c4f413b7f49ead1
        33e0e37264d3e050b663c5ef19c547b8c8b7fce8be20f3b64b4276422047c40f546a6d415ebe8fa1ac6d04637b4112c5
        163ccdbf7dcd6b892401fd0846f1e701
        """)

    /// Signature over the message with SHA-1.
    static let sha1 = bytes(
        """
        c71feefa6c7431d6bf40540e2e8083c932bdeb36c19f563185eca83e4d6ff7dbfe350ca9514d9a4d3577f972b9719a9d
        c54481fc9f641446938dd76585ebb0f8fd56f64322b86b933940798c6da666b3cb7644d89d7e3dbc2d431540cb02cf16
        4dde24b438a9b66f95671e440925b1983c3e3cb8fadc5f454b7d99ecea63cd0ec64ba833760a1d02bb6df1c09b55528d
        ec73c2d4404083687a42250c8d8ab42b5ae8289b28d0f6e301c855882e09e2e9965f40e05f7feef58fae3539e19d5407
        f5c9dbdd56dbdecdede6d0050d77d8fccb2204149314188c5f6ec229741d8cc4ac7c1b96d7f8ffd9bdd04fd9910393ff
        d006aaf99efb5e719ee5f5482426801a
        """)

    /// Signature over the message with SHA-256.
    static let sha256 = bytes(
        """
        3319ead8a323bbd24379fe2f1af5046a58be9ffde109f23eb0a3376b4b6dab694dc3e4d155b358e0c7011d9d5a1ee04d
        dbdb1f5d926380c2158f2e83a050f25ee2c451df8f02d5ed2b49c543514bc675d64b2ff9582115b4e97f1313fb3f34a0
        a02d6e08006f2ddaa5d757e4ff1ab44816f5c15e9695fc41d6fd912f63f1acc4839007981efb6f5a3a3dcc2efc68a9d6
        00652af2c56d90ce70623df251a10a97b53c8714b0faf3068e3851d9171f44837d1e0b3d9b7275902ce1d872f44eb585
        1a5c73793c7dc052d77bf1abbf19f3ac6b1ef8495bb7bde7173ae3d2c00a5e69b02949d47855f5d843e7536e82e9aad2
        dd39fa7e3b1c1ad2f571b9a2201f2ed9
        """)

    /// Signature over the message with SHA-512.
    static let sha512 = bytes(
        """
        ba9561fba411f341f40e70852f8ad2c3e9e595dfac1c4d972ec44b320ba9efe5631a90a9d38ea471974bdc53343e1b2b
        d90fe49fcfad6f33888c615367344370301f40664440ce0b78f2f31104eeaa4a90ed0d243647546006e7e40d82900e4d
        4cd65258173709a1e5cd23c3ab90ce427e39565cd1f119a51d5cafcb635628ea32a4fcc458b119519d299e92d6d6ef4e
        1bddea9e98bca4950e1c181e9281f5a27e412a53469125327dad04ffe5123f2e3d2cd74c7d7434cd8e0e8ca6e83b3ecc
        7d6ff75ac00c421af78f453f973822049e97f4b9fe92159f8902ef43d31d63d27af9411f16778bb3d493648d211044cf
        63680fd49d2fa3b40bccfbd6f09280e5
        """)
}
