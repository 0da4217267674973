// Keys a strict reader refuses: too short, another algorithm, locked with a passphrase. Made once by `openssl`.

enum RefusedKeys {
    /// RSA of 512 bits.
    static let short = """
        -----BEGIN PRIVATE KEY-----
        MIIBVAIBADANBgkqhkiG9w0BAQEFAASCAT4wggE6AgEAAkEA43QA9a2DjwzQN+e7
        AbgCZAFsQ0xDKXZwhel4vtcXzDmSGj1ps1Kl7O0iCAijpzZeNc57qGzN/RP0EjAy
        9SnejwIDAQABAkAdLzBEVawwuasp0TD8ini8Djau9+USN+E+PXPBwOWLzYVUUfqz
        hMnNv/mw6bDRgEL1MnCJd6HqAXS0vb6bUsLpAiEA9NqWzrq+K9XNMR92wtDyyX/7
        l75oA7py3lHAQom9QrUCIQDtzqKGd6L1Tz0vE+Ehjd3iqYr9nIEUXvYAONu6r0WS
        swIgLpq0faC5tao6JhFxD1+p9oRvpNBPB/ajCoHQ8Fk7NskCIGQkVhCmJLuEyNEg
        X/fPVBb1KpCt7TV038csKmutD3E9AiEAh4KLFk5jURMXB7coLSx6RZvHx107J/bb
        VZt3sUJ10WY=
        -----END PRIVATE KEY-----
        """

    /// Its public half.
    static let shortPublic = """
        -----BEGIN PUBLIC KEY-----
        MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAON0APWtg48M0DfnuwG4AmQBbENMQyl2
        cIXpeL7XF8w5kho9abNSpeztIggIo6c2XjXOe6hszf0T9BIwMvUp3o8CAwEAAQ==
        -----END PUBLIC KEY-----
        """

    /// P-256.
    static let ellipticCurve = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgI+AcHU/6QuMPqoOb
        ieYlc/p94+Jh2ef2Mja5WSqqDWKhRANCAAQw49ZrNDx4rI0pCoAPF8k989nVB1yU
        RT3zegPBLYPzVuq3oy4tI/RGbtDvlAYaPR2mrlbfBNHq1IGgE1egMmKR
        -----END PRIVATE KEY-----
        """

    /// Its public half.
    static let ellipticCurvePublic = """
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEMOPWazQ8eKyNKQqADxfJPfPZ1Qdc
        lEU983oDwS2D81bqt6MuLSP0Rm7Q75QGGj0dpq5W3wTR6tSBoBNXoDJikQ==
        -----END PUBLIC KEY-----
        """

    /// RSA restricted to RSASSA-PSS.
    static let pss = """
        -----BEGIN PRIVATE KEY-----
        MIICdAIBADALBgkqhkiG9w0BAQoEggJgMIICXAIBAAKBgQDIZQp9XrY4e3bMhik0
        sbxd10A/kYdr91OisnYzKmm/ehiOW4lxDajXspeWwXwwPx8KQ76eLkTDXZ2csUEM
        uwX6J2BvySEmC28AD4oz/P8auC4VBtVI0FtA6y9xJw8ySmpS42NLyPr2can1hjV/
        kA/O7/zSmgGqfpC0JDNCdox1rwIDAQABAoGAWrE/2hVvKojV7yIYq/x0X5P3Q829
        GCPK+isCS426Zin/yw2qWjvwWg49hMD0T3GBvseCEVynSjOoDS47XmOWBB8R4/B+
        mcT/RueGwBpQOg+51fFaeIJ5ZAMcXaCfGXkuQYKnup9ZlVk2owkxr9+iopDuJoWp
        qU6wQF0KkNmCtWECQQDz8CGquKtyGLgC3lccLRKMTFneY2cezO2BJEP/gLtKvMHx
        ztPcJRqYe9+aceLLVPj91m6nuv80cRSfpi49BEvzAkEA0k24VJb/oDLKfmpoR4c/
        lXV7ZeUkqcWCXQZNUqvlcMhwCKqNnVLMHZLKsXr2n+eqCMq7d8f5AF2Rhi7YUulK
        VQJBAMpwmkAICaAii3M1+azUavQr2NkKPWX+Q4xNAHFl8AjSJVH7hy7HTA8HnkWa
        BdEgr5JZBnQEaA6pWag0TWMt0akCQHqK5xoDUrjaX7wB7PmhCZ/hcSISv6ZdfHUQ
        MwY1O+DYKtAh8Zr2oBGrc4ivif3rU90DpPFLCQD5hM6XhV3qqnECQBzwOXoFMOmj
        dCx/Lfdeew1AgkKdycutkZfpHc25NaHRMPcseR0BvZBtepIgq4OXKAvbK7CBLiAx
        pLiCO9wM9rY=
        -----END PRIVATE KEY-----
        """

    /// Its public half.
    static let pssPublic = """
        -----BEGIN PUBLIC KEY-----
        MIGdMAsGCSqGSIb3DQEBCgOBjQAwgYkCgYEAyGUKfV62OHt2zIYpNLG8XddAP5GH
        a/dTorJ2Myppv3oYjluJcQ2o17KXlsF8MD8fCkO+ni5Ew12dnLFBDLsF+idgb8kh
        JgtvAA+KM/z/GrguFQbVSNBbQOsvcScPMkpqUuNjS8j69nGp9YY1f5APzu/80poB
        qn6QtCQzQnaMda8CAwEAAQ==
        -----END PUBLIC KEY-----
        """

    /// RSA of 2048 bits under the passphrase "test".
    static let encrypted = """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIIFLTBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQIH6buUmgtaWECAggA
        MAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEqBBAW8MQHMyIiJ9aoCv2F8f/eBIIE
        0MtgXWlMe2rYqN4g08CUof0xvd3PO7+MpR2n8ZMZ3tu1AWKBQh3VZ9u1RvXgegWL
        EAq+CffC07MPOVVmQ7REcfzrC4nRhUTbsMlaCyeX5OGin6u6D7DhyNYQ6PVXe2fW
        arIQ96CpL70hSsMoPmzke6FWyg61WlHWRe3EQNcTudi0VRbZPSibQj+t1RfEtyxg
        62zyCtIzEYPv2tobSt3d1F0XcrHTTFZHKLQ9NLnww8GwnisrUgztwAd26N8deUPc
        cP/CWzB0gnkKiYWI6lykJUFF+CpnYLwYeWP/Lt+7N6LIqSVwBNgoFJkIIYcOIvLN
        whdZ1K3UHNv6l+CmE6nxonh6HSYHVFE7YMQB1p638UWaV/JKPN+pyTyI6xr/0oG8
        040wCXvlVIkw06yUyFS7wuJXkLb0zqyOU3Vxi1YmAyYU6qv03mtvDToZAaeaTN+G
        WLHFCMCQmcVmtxcjFEEEvXRfbgqcp1oOXJMUxrqO7ntcxfLeqKXcejlL96KKun3A
        qGoAjGDoq5jH7GVRxKZcqZHPLSadfp9fUshKHTSP/JqlHhBPNxvuMcf9qev6V8u1
        ajBEhsKlIxhmHzSLcMBBwkG4yMaXb7YVA4AOMIGtFqLUOfQVyKxc7z7beJ92+Srr
        H/FUJUU147gbV1AlUsrRpHB6n511fu/6ZR9F+X+UNiy5YpFQpfzC5wRo+9G25qsd
        fPEHn+J2HtGFwPhCGoJtVb9pP0jKCL39TaJeUQnSSm8ZqvmCEmhFmR3EmXQS4c1u
        u5FFblnJPlm/8Pj0gueLybKb5HXo0AE2kCojX9/Tph6aUBwbsXoQbf8n5TZeKZnw
        epdB+Atn29Yy7tIPBanJ0wjtfK3iY0IPQmg/HuYF3nJsMx1WGrJyCnGyYd2/pY6T
        gjCkudguHYVj0rz9AGgCr6KuY5l7LI8hPrsd5/SHvGssDlmUBTRpp7KbqBMyGSDp
        zoXHS4TjAgoUzvXLu01q1/QID6+ONKykfkWFTf71sQgchpNztlNcxZy8tkBbIMdd
        9CQZLkkiOAVntmLJymZ+5WLytArWNJhfRhPQnIokkS7mHXaj11pQ6QlSkBJwhywh
        fIAT4xoCZWHvq8pJ1wxLYDsw8kOEEN2xPctDIvjkxkHz3FQUf6PycqVkHjrTK9xZ
        OzFpCXYKL3CqfZ+ZE3ZsJ88s+SZNkgebt8DWtlq5349QNgLaC2oClsR2Fuc87YDt
        glq8qPVjICv2Dk163Qq8iBqH5FY5GYnd9eGOXk7n2TcS6bh8re2LHQBvWWBVuNc3
        Pi7F1DGBfaxScy8WZ2AJ//V3qoNdgDj2etgfsOj2RgUPn+EhWzrNBo/aMlc2WjoX
        PxV+o/moxsbQMYHrX3Mrn8RVuKVV0tS8yq2liKthQmRhru+Wq6dOCQsR/UDMNGOw
        UXtHfOJ6WaRMW3qA/sHnE/4WHoP1iyzzcZYiPccVP8Ht9zX7vWVrZkErpnoGjycN
        GPhuIW8PUnfRBHufqoLJL7ah5oPUvjAC9/U7mpXmD06OHIiBO0xxPSTSnJjCdCsB
        LwZKsfGxRsJf0WyYUsFgz6kxcSQwFngaAN7MNpp+GTiqpWeCXmmaALLIcobUsjG+
        UOfzzdfkUtGRchp5znqMLcpYbM/gogUtThycWzhZBXoY
        -----END ENCRYPTED PRIVATE KEY-----
        """

    /// RSA of 512 bits under the empty passphrase.
    static let encryptedWithNothing = """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIIBvTBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQIkI9e2kGsQ2ICAggA
        MAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEqBBCCrHzXxCCV0p2Sydqv0eiGBIIB
        YGz2D1Bz22IfF696DjhGU9/rGJRilSujd/AeODSUnhevF6+mzeLXuO+S0lMpFLOi
        +HKnJIhcVv9TLCQeloS4Ru1zFm1JgC2DHHHN4dO5qX05uhpu+efpMsytKQ7rGd7N
        WfWGV8zyMgXPUmPnUAzXCj1kR5y4VlI5zFAkQpCog6CKoM3TNeDbISwRTtyLT52/
        wKvE875sAdKOpgVfvog3Mpl5dzb5iRPsd6dpK1WIDpYlks/uiUWsojByoZTsMUp/
        DXr9Don299CDuSWSoVQbXC1TfllHbD3+hOUUgTg6I6aYt0sIctDl6NV+XTww1vTv
        GKH1pwd+vkr3dEtQuLLs/SW2T8cMn3XLSpTx17g7iPrJuX8VaMEj1eV0ebDpACQe
        guD36lhZLatQOpWBrEmXm4kXlt3d6n8NLo+j8qV+BTAq6MmPOiimNsI8USjUK5y7
        BogGd0Q0jTT7PCVfw4QbCHs=
        -----END ENCRYPTED PRIVATE KEY-----
        """
}
