"""SIGNING IN WITH KAKAO: one client for its addresses, its signed words and its errors."""
